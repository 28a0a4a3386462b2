// A hub that plays a state, for tests and screenshots: `?mock=busy`. Never part of a production build.
import type { Approval } from '../generated/Approval';
import type { EventRow } from '../generated/EventRow';
import type { HubStatus } from '../generated/HubStatus';
import type { Listener } from '../generated/Listener';
import type { Origin } from '../generated/Origin';
import type { Problem } from '../generated/Problem';
import type { Rule } from '../generated/Rule';
import type { SessionView } from '../generated/SessionView';
import type { Surface } from '../generated/Surface';
import type { ConnectionChange } from '../generated/ConnectionChange';
import type { Connection } from '../generated/Connection';
import type { Upstream } from '../generated/Upstream';
import type { Webhook } from '../generated/Webhook';
import { faultIn, type ConnectWish, type NewUpstream } from './connections';
import { agents, change, findings } from './mock/agents';
import { dialects } from './mock/dialects';
import { hooked } from './mock/hooked';
import { figures, NOTHING, upstreams, webhooks } from './mock/figures';
import { printed } from './mock/printed';
import { EPOCH, eventOf, history, run, type Step } from './mock/script';
import { hookRequests, longRequest, REASON, requests, treacherous } from './mock/requests';
import { SessionBook } from '../stream/sessions';
import { PlatformError, type Answer, type Batch, type Capabilities, type Page, type Platform, type PlatformSignal, type SessionName, type StreamReader } from './types';

const PROBLEMS: Record<string, Problem> = {
  'store-failing': { code: 'store_failing', message: 'Writing to /home/ada/.local/share/countersign/log.db failed: no space left on the device. Events are shown but not kept, and every request is denied. Free some space; the hub tries again by itself.' },
  disabled: { code: 'disabled', message: '"enabled" is false in /home/ada/sam/config.json, so nothing listens. Set it to true and start Countersign again.' },
  'port-in-use': { code: 'port_in_use', message: 'Port 8765 on 127.0.0.1 is in use by another program. End that program, or choose another port: "port" in the config, or countersign serve --port 8766.' },
};

const LISTENERS: Listener[] = [
  { url: 'http://127.0.0.1:8765', dialect: 'sam' },
  { url: 'http://127.0.0.1:3000', dialect: 'cloud' },
];

class MockHub {
  events: EventRow[] = [];
  approvals: Approval[] = [];
  rules: Rule[] = [];
  stopped = new Set<string>();
  can: Capabilities = { answer: true, modal: false };
  problems: Problem[] = [];
  reader: StreamReader | undefined;
  listener: (signal: PlatformSignal) => void = () => undefined;
  /** The last event that the page was given. */
  sent = 0;
  private running: Promise<void> | undefined;

  private others = new SessionBook();
  upstreams: Upstream[] = [];
  webhooks: Webhook[] = [];
  agents: Connection[] = agents('fresh');
  counts: 'busy' | 'nothing' | 'failing' = 'busy';

  /** For tests: what was answered, in order. */
  answered: string[] = [];
  /** For tests: the answers themselves. */
  given: Answer[] = [];

  get head(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  publish(step: Omit<Step, 'after'> & { readonly origin?: Origin }): EventRow {
    const event = eventOf(step, this.head + 1, Date.now());
    this.events.push(event);
    this.pump();
    return event;
  }

  burst(count: number): void {
    const steps = run();
    for (let n = 0; n < count; n++) this.publish(steps.next().value as Step);
  }

  /** The page reads from here on. */
  follow(reader: StreamReader, since: string): void {
    this.reader = reader;
    this.sent = Number(since.slice(since.lastIndexOf(':') + 1));
    this.pump();
  }

  /** For tests: resolves once the page has taken in all that was published. */
  async applied(): Promise<void> {
    while (!this.reader || this.sent < this.head || this.running) await (this.running ?? new Promise((done) => setTimeout(done, 5)));
  }

  private pump(): void {
    this.running ??= this.pull().finally(() => (this.running = undefined));
  }

  private async pull(): Promise<void> {
    await Promise.resolve();
    while (this.reader && this.sent < this.head) {
      // Events are numbered from 1 on, without gaps.
      const events = this.events.slice(this.sent, this.sent + 2000);
      this.sent = events.at(-1)!.seq;
      await this.reader.batch({ epoch: EPOCH, from: events[0]!.seq, to: this.sent, events } satisfies Batch);
    }
  }

  ask(approval: Approval): void {
    const { agent, session, request_id, tool_name, arguments: args, tool_info } = approval;
    const event = this.publish({ kind: 'approval_request', agent, session, data: { request_id, tool_name, arguments: args, tool_info } });
    this.approvals.push({ ...approval, seq: event.seq });
  }

  answer(id: string, answer: Answer, by: Surface): Approval {
    const at = this.approvals.findIndex((known) => known.id === id);
    const known = this.approvals[at];
    if (!known) throw new PlatformError('not_found', 'There is no such approval.');
    if (known.status !== 'pending') throw new PlatformError('resolved', 'It was answered already.', known);
    const status = ({ approve: 'approved', deny: 'denied', stop: 'stopped' } as const)[answer.decision];
    const done: Approval = { ...known, status, delivery: 'delivered', decision: { decision: answer.decision, scope: 'once', by, at: new Date().toISOString(), ...(answer.message ? { message: answer.message } : {}), ...(answer.arguments === undefined ? {} : { arguments: answer.arguments }), ...(answer.grants ? { grants: [...answer.grants] } : {}) } };
    this.approvals[at] = done;
    if (answer.scope && answer.scope !== 'once') {
      const { agent, session, tool_name, digest } = done;
      const only = answer.scope === 'session' ? { session } : {};
      this.rules.push({ id: `rule-${id}`, agent, ...only, tool_name, digest, decision: answer.decision, approval: id, created_at: new Date().toISOString() });
    }
    this.answered.push(`${id} ${answer.decision} ${by}`);
    this.given.push(answer);
    const data = { approval_id: id, request_id: known.request_id, tool_name: known.tool_name, status, ...done.decision };
    this.publish({ kind: 'approval_resolved', agent: known.agent, session: known.session, data });
    return done;
  }

  sessions(): SessionView[] {
    const found = new Map<string, SessionView>();
    for (const event of this.events) {
      const { agent, session, time, kind, data } = event;
      if (session === undefined) continue;
      if (event.origin !== 'sam' && event.origin !== 'hub') {
        this.others.apply([event]);
        continue;
      }
      const key = `${agent}\n${session}`;
      const known = found.get(key) ?? { agent, session, activity: 'idle', since: time, pending: 0, stopped: false, stops: true, connections: 1, events: 0, last: time };
      const activity = kind === 'tool_call_start' ? 'working' : kind === 'tool_call_end' ? (data['success'] === false ? 'failed' : 'idle') : known.activity;
      found.set(key, { ...known, activity, since: activity === known.activity ? known.since : time, events: known.events + 1, last: time, ...(kind === 'tool_call_start' ? { task: String(data['tool_name']) } : {}) });
    }
    const others = this.others.list(Date.now()).filter(({ session }) => session !== '');
    this.others = new SessionBook();
    for (const { agent, session, activity, since, task, progress, events, last, stops, parent, role, folder } of others) {
      const iso = (ms: number): string => new Date(ms).toISOString();
      found.set(`${agent}\n${session}`, { agent, session, activity, since: iso(since), pending: 0, stopped: false, stops, connections: 1, events, last: iso(last), ...(parent === undefined ? {} : { parent }), ...(role === undefined ? {} : { role }), ...(folder === undefined ? {} : { folder }), ...(task === undefined ? {} : { task }), ...(progress === undefined ? {} : { progress }) });
    }
    return [...found.values()].map((view) => {
      const pending = this.approvals.filter((a) => a.agent === view.agent && a.session === view.session && a.status === 'pending').length;
      const stopped = this.stopped.has(`${view.agent}\n${view.session}`);
      return { ...view, pending, stopped, activity: pending > 0 ? 'needs_you' : stopped ? 'stopped' : view.activity };
    });
  }

  status(): HubStatus {
    const listening = !this.problems.some(({ code }) => code === 'disabled' || code === 'port_in_use');
    return {
      version: '0.1.0',
      epoch: EPOCH,
      head: this.head,
      durable: this.head,
      oldest: 1,
      listeners: listening ? LISTENERS : [],
      connections: 4,
      approvers: 1,
      pending: this.approvals.filter(({ status }) => status === 'pending').length,
      store_bytes: 38_400_000,
      data_dir: '/home/ada/.local/share/countersign',
      problems: this.problems,
      upstreams: this.upstreams,
      webhooks: this.webhooks,
      presence: { at: 0, people: [] },
    };
  }

  metrics(hours: number): unknown {
    if (this.counts === 'failing') throw new PlatformError('unreachable', 'The hub does not answer. Is it running?');
    return this.counts === 'nothing' ? NOTHING : figures(hours, Date.now());
  }

  attach(upstream: NewUpstream): void {
    const fault = faultIn(upstream, this.upstreams);
    if (fault !== '') throw new PlatformError('failed', fault);
    const { name, dialect, url } = upstream;
    this.upstreams = [...this.upstreams, { name, dialect, url, state: 'connecting', since: new Date().toISOString(), events: 0, configured: false }];
  }

  detach(name: string): void {
    this.upstreams = this.upstreams.filter((known) => known.name !== name);
  }

  retry(name: string): void {
    this.webhooks = this.webhooks.map((known) => (known.name === name ? { name, url: known.url, state: 'ok', behind: 0, dead: 0 } : known));
  }

  agent(name: string): Connection {
    const found = this.agents.find(({ agent }) => agent === name);
    if (found === undefined) throw new PlatformError('not_found', 'an agent is claude-code or codex');
    return found;
  }

  connect(name: string, wish: ConnectWish | 'off', dryRun: boolean): ConnectionChange {
    const { change: made, then } = change(this.agent(name), wish);
    if (!dryRun) this.agents = this.agents.map((known) => (known.agent === name ? then : known));
    return { ...made, done: !dryRun };
  }

  session(name: SessionName, stop: boolean): SessionView {
    const key = `${name.agent}\n${name.session}`;
    if (stop) {
      this.stopped.add(key);
      for (const { id, agent, session, status } of [...this.approvals]) {
        if (agent === name.agent && session === name.session && status === 'pending') this.answer(id, { decision: 'stop' }, 'window');
      }
    } else this.stopped.delete(key);
    this.publish({ kind: stop ? 'session_stopped' : 'session_resumed', ...name, data: { ...name, by: 'window' } });
    return this.sessions().find((view) => view.agent === name.agent && view.session === name.session)!;
  }

  page({ since = 0, until = Infinity, limit }: { since?: number; until?: number; limit: number }): Page {
    const found = this.events.filter(({ seq }) => seq > since && seq <= until);
    return { events: found.slice(0, limit), next: found.length > limit ? found[limit - 1]!.seq : null };
  }
}

const LIVE_MS = 350;

function play(hub: MockHub, state: string): void {
  const now = Date.now();
  const quiet = ['first-run', 'disabled', 'port-in-use'].includes(state);
  if (!quiet) hub.events = history(state === 'older' ? 4000 : 420, now - 4_000);
  const problem = PROBLEMS[state];
  if (problem) hub.problems = [problem];
  const waiting = { ten: () => requests(10), three: () => requests(3), one: () => requests(1), long: longRequest, treacherous, 'read-only': () => requests(2), modal: () => requests(3), stopped: () => [], hooks: () => hookRequests(), 'hooks-modal': () => hookRequests() }[state] ?? (state.startsWith('hook-') ? () => hookRequests(state.slice(5)) : undefined);
  for (const approval of waiting?.() ?? []) {
    const { agent, session, request_id, tool_name, arguments: args, tool_info, asked_at, origin } = approval;
    const seq = hub.head + 1;
    hub.events.push(eventOf({ origin, kind: 'approval_request', agent, session, data: { request_id, tool_name, arguments: args, tool_info, ...(tool_name === 'Bash' ? { reason: REASON } : {}) } }, seq, Date.parse(asked_at)));
    hub.approvals.push({ ...approval, seq });
  }
  if (state === 'printed') {
    for (const step of printed()) hub.events.push(eventOf(step, hub.head + 1, now - 2_000 + step.after));
  }
  if (state === 'read-only') hub.can = { answer: false, modal: false };
  if (state === 'modal' || state === 'hooks-modal') hub.can = { answer: true, modal: true };
  if (state === 'stopped') hub.session({ agent: 'sam', session: 'ingest-7f2' }, true);
  const empty = quiet || state === 'metrics-empty';
  hub.counts = state === 'metrics-failing' ? 'failing' : empty ? 'nothing' : 'busy';
  if (!quiet) {
    hub.upstreams = upstreams(state === 'failing');
    hub.webhooks = webhooks(state === 'failing');
    hub.agents = agents(state === 'failing' ? 'failing' : 'connected');
  }
  if (state === 'mixed' || state === 'mixed-live') {
    const steps = dialects();
    for (let n = 0; n < 25; n++) {
      const step = steps.next().value as Step;
      hub.events.push(eventOf(step, hub.head + 1, now - (25 - n) * 700));
    }
    if (state === 'mixed-live') setInterval(() => hub.publish(steps.next().value as Step), LIVE_MS);
  }
  if (state === 'hooked') hub.events.push(...hooked(hub.head + 1, now));
  if (state === 'busy' || state === 'older') {
    const steps = run();
    for (let n = 0; n < 60; n++) steps.next();
    setInterval(() => hub.publish(steps.next().value as Step), LIVE_MS);
  }
}

export function mock(state: string): Platform {
  const hub = new MockHub();
  play(hub, state);
  (window as unknown as { mockHub: MockHub }).mockHub = hub;
  const later = <T>(value: () => T): Promise<T> => new Promise((done, fail) => setTimeout(() => { try { done(value()); } catch (error) { fail(error as Error); } }, 5));
  return {
    name: 'mock',
    get can() {
      return hub.can;
    },
    status: () => later(() => hub.status()),
    sessions: () => later(() => hub.sessions()),
    approvals: (status) => later(() => hub.approvals.filter((known) => !status || known.status === status)),
    approval: (id) => later(() => hub.approvals.find((known) => known.id === id)!),
    decide: (id, answer) => later(() => hub.answer(id, answer, 'window')),
    stopSession: (name) => later(() => hub.session(name, true)),
    resumeSession: (name) => later(() => hub.session(name, false)),
    rules: () => later(() => [...hub.rules]),
    revokeRule: (id) => later(() => void (hub.rules = hub.rules.filter((rule) => rule.id !== id))),
    history: (range) => later(() => hub.page(range)),
    metrics: (hours) => later(() => hub.metrics(hours)),
    addUpstream: (upstream) => later(() => hub.attach(upstream)),
    removeUpstream: (name) => later(() => hub.detach(name)),
    retryWebhook: (name) => later(() => hub.retry(name)),
    connections: () => later(() => hub.agents),
    connectAgent: (agent, wish) => later(() => hub.connect(agent, wish, wish.dry_run === true)),
    disconnectAgent: (agent, dryRun) => later(() => hub.connect(agent, 'off', dryRun)),
    examineAgent: (agent) => later(() => findings(hub.agent(agent))),
    stream(since, reader) {
      reader.opened({ epoch: EPOCH, head: hub.head });
      hub.follow(reader, since);
      if (state === 'disconnected') setTimeout(() => reader.closed('The connection to the hub is lost.'), 50);
      if (state === 'replaying') reader.opened({ epoch: EPOCH, head: hub.head + 48_213 });
      if (state === 'history-lost') void reader.batch({ epoch: EPOCH, from: 0, to: hub.head, events: [], lost: { oldest: 1_200, head: hub.head } });
      return () => (hub.reader = undefined);
    },
    watch(listener) {
      hub.listener = listener;
      return () => undefined;
    },
  };
}
