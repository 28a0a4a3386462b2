// Approvals that wait for this person, and the answering of them. The registry in the hub decides; this only asks and shows.
import type { Approval } from '../generated/Approval';
import type { EventRow } from '../generated/EventRow';
import type { Scope } from '../generated/Scope';
import type { Verdict } from '../generated/Verdict';
import { PlatformError, type Answer } from '../platform/types';
import { Inert } from '../stream/inert';
import { fields, reasonOf, text } from '../stream/read';
import { sessionKey } from '../stream/sessions';
import { visible } from '../stream/visible';
import { surface } from '../stream/words';
import type { Hub } from './hub.svelte';
import { Reply } from './reply.svelte';
import { Several, type Outcome } from './several.svelte';

const NOTICE_MS = 8_000;
const RETRY_MS = 2_000;
const PENDING = 'What waits for you is not up to date';

export interface Notice {
  readonly id: number;
  readonly words: string;
  /** Something did not go as the person wanted. */
  readonly trouble: boolean;
}

/** Why a request was asked, or why that is not known. */
export type Reason = { readonly said: string; readonly fault?: undefined } | { readonly said?: undefined; readonly fault: string };

const DONE: Record<Verdict, string> = { approve: 'Approved', deny: 'Denied', stop: 'Stopped' };

function done({ asked }: Reply, { decision, arguments: given }: Answer): string {
  if (decision === 'stop' || asked.shape === 'call') return decision === 'approve' && given !== undefined ? 'Approved with your changes' : DONE[decision];
  if (asked.shape === 'plan') return decision === 'approve' ? 'Started' : 'Sent back to planning';
  return decision === 'approve' ? 'Answered' : 'Left unanswered';
}

const REACH: Record<Scope, string> = { once: '', session: ' for this session', always: ', and always exactly this call' };

export class Waiting {
  /** Oldest first. */
  pending = $state.raw<Approval[]>([]);
  /** The one that is shown whole and may be answered. */
  openId = $state<string>();
  /** Answers answer. Not so for a moment after a request appeared or the window got the focus. */
  armed = $state(false);
  /** Goes up each time answers become inert, so that what shows it starts over. */
  inertRound = $state(0);
  /** The one whose answer is on its way. */
  answering = $state<string>();
  failed = $state.raw<{ id: string; words: string }>();
  notices = $state.raw<Notice[]>([]);
  /** For screen readers: said once. */
  spoken = $state('');
  /** The one whose arguments are being edited. */
  editing = $state.raw<Approval>();
  /** Asked to bring one into view and focus it. */
  summons = $state.raw<{ id: string; round: number }>({ id: '', round: 0 });
  /** Requests whose modal was closed unanswered. */
  private dismissed = $state.raw<ReadonlySet<string>>(new Set());

  /** Why each was asked, where the agent said so; by approval id. */
  reasons = $state.raw<ReadonlyMap<string, Reason>>(new Map());

  /** Goes up when a rule came or went. */
  rulesRound = $state(0);

  /** Picked to be answered at once. */
  readonly several = new Several(
    (approval, decision, message) => this.send(approval, { decision, ...(message === '' ? {} : { message }) }),
    (words, trouble) => this.say(words, trouble),
  );

  private readonly inert = new Inert();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: Promise<void> | undefined;
  private askAgain = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly own = new Set<string>();
  /** What was put together and not sent; by approval id. */
  private readonly replies = new Map<string, Reply>();
  private serial = 0;

  constructor(private readonly hub: Hub) {
    hub.onEvents = (events) => this.hear(events);
    hub.onResync = () => void this.refresh();
    hub.onShowApproval = (id, edit) => void this.show(id, edit);
    addEventListener('focus', () => this.restartInert());
    document.addEventListener('visibilitychange', () => this.restartInert());
  }

  get open(): Approval | undefined {
    return this.pending.find(({ id }) => id === this.openId);
  }

  /** The one that a modal should ask about; none over a summary that is being read. */
  get modal(): Approval | undefined {
    return this.hub.can.modal && !this.several.shown ? this.pending.find(({ id }) => !this.dismissed.has(id)) : undefined;
  }

  /** What this person has put together to answer it; the same one for as long as it waits. */
  reply(approval: Approval): Reply {
    const known = this.replies.get(approval.id);
    if (known) return known;
    const reply = new Reply(approval);
    this.replies.set(approval.id, reply);
    return reply;
  }

  /** Closing the modal answers nothing: all that wait now stay in the strip, and no modal comes back for them. */
  dismiss(): void {
    this.dismissed = new Set(this.pending.map(({ id }) => id));
  }

  /** Brings one into view; with `edit`, its arguments open. */
  async show(id: string, edit: boolean): Promise<void> {
    this.expand(id);
    this.summons = { id, round: this.summons.round + 1 };
    await this.refresh();
    const shown = this.pending.find((approval) => approval.id === id);
    if (!shown) this.say('That request waits no more.');
    else if (edit && shown.edits) this.editing = shown;
  }

  expand(id: string | undefined): void {
    if (id === this.openId) return;
    this.openId = id;
    this.restartInert();
  }

  restartInert(): void {
    this.inert.restart(Date.now());
    this.armed = false;
    this.inertRound += 1;
    clearTimeout(this.timer);
    const check = (): void => {
      const left = this.inert.left(Date.now());
      if (left > 0) this.timer = setTimeout(check, left);
      else this.armed = true;
    };
    check();
  }

  /** Asks what waits; ends once an answer to this very call is here, or it failed. */
  refresh(): Promise<void> {
    if (this.asking) this.askAgain = true;
    else this.asking = this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(): Promise<void> {
    clearTimeout(this.retry);
    try {
      do {
        this.askAgain = false;
        this.take(await this.hub.platform.approvals('pending'));
      } while (this.askAgain);
      this.hub.clearFault(PENDING);
    } catch (error) {
      this.hub.fault(PENDING, error);
      this.retry = setTimeout(() => void this.refresh(), RETRY_MS);
    }
  }

  private take(found: Approval[]): void {
    const pending = found.filter(({ status }) => status === 'pending').sort((a, b) => a.seq - b.seq);
    const known = new Set(this.pending.map(({ id }) => id));
    const fresh = pending.filter(({ id }) => !known.has(id));
    this.set(pending);
    const first = fresh[0];
    if (!first) return;
    void this.learnReasons(fresh);
    this.spoken =
      fresh.length === 1
        ? `${visible(first.agent)} asks to run ${visible(first.tool_name)}. ${pending.length} waiting.`
        : `${fresh.length} new approvals. ${pending.length} waiting.`;
  }

  /** The registry keeps what binds; why it was asked is in the event. */
  private async learnReasons(fresh: Approval[]): Promise<void> {
    for (const { id, seq } of fresh) {
      const reason = await this.hub.platform.history({ since: seq - 1, until: seq, limit: 1 }).then(
        ({ events }): Reason | undefined => {
          const said = text(fields(events[0]?.data), 'reason');
          return said === undefined ? undefined : { said };
        },
        (error: unknown): Reason => ({ fault: reasonOf(error) }),
      );
      if (reason === undefined) continue;
      const waits = new Set(this.pending.map((approval) => approval.id));
      this.reasons = new Map([...this.reasons].filter(([known]) => waits.has(known))).set(id, reason);
    }
  }

  /** `words`: how one that is no longer among them was ended. */
  private set(pending: Approval[], words?: string): void {
    this.pending = pending;
    for (const id of this.replies.keys()) if (!pending.some((approval) => approval.id === id)) this.replies.delete(id);
    if (this.editing && !pending.some(({ id }) => id === this.editing?.id)) this.editing = undefined;
    this.several.waits(new Set(pending.map(({ id }) => id)), words);
    const asked = new Map<string, string[]>();
    for (const { agent, session, tool_name } of pending) {
      const key = sessionKey(agent, session);
      asked.set(key, [...(asked.get(key) ?? []), tool_name]);
    }
    this.hub.waiting(asked);
    if (!pending.some(({ id }) => id === this.openId)) this.expand(pending[0]?.id);
  }

  private hear(events: readonly EventRow[]): void {
    let ask = false;
    for (const event of events) {
      if (event.kind === 'approval_request' || event.kind === 'session_stopped') ask = true;
      if (event.kind === 'approval_resolved') this.resolved(event);
      if (event.kind === 'rule_created' || event.kind === 'rule_revoked') this.rulesChanged();
    }
    if (ask) void this.refresh();
  }

  private resolved(event: EventRow): void {
    const data = fields(event.data);
    const id = text(data, 'approval_id');
    const mine = id !== undefined && this.own.delete(id);
    const known = this.pending.find((approval) => approval.id === id);
    if (!known) return;
    const terminal = text(data, 'message')?.startsWith('answered in the terminal') ?? false;
    const how = terminal ? 'answered in its terminal, or its program is gone' : `${text(data, 'status') ?? 'answered'} by ${surface(text(data, 'by'))}`;
    this.set(this.pending.filter((approval) => approval.id !== id), `Answered elsewhere: ${how}.`);
    if (mine) return;
    this.say(`${visible(known.tool_name)} for ${visible(known.agent)}: ${how}.`);
  }

  /** Answers one. Nothing happens in the inert moment, without the right, or while an answer is on its way. */
  async answer(approval: Approval, answer: Answer): Promise<void> {
    if (!this.ready) return;
    const { fate, words } = await this.send(approval, answer);
    if (fate !== 'left') this.say(words, fate === 'elsewhere');
    else this.spoken = words;
  }

  /** Answers all that the summary shows, under the same conditions. */
  async answerSeveral(decision: Verdict, message: string): Promise<void> {
    if (this.ready) await this.several.answer(decision, message);
  }

  private get ready(): boolean {
    return this.armed && this.hub.can.answer && this.answering === undefined && !this.several.busy;
  }

  private async send(approval: Approval, answer: Answer): Promise<Outcome> {
    const { scope = 'once' } = answer;
    const how = done(this.reply(approval), answer);
    this.answering = approval.id;
    this.failed = undefined;
    this.own.add(approval.id);
    try {
      await this.hub.platform.decide(approval.id, answer);
      this.remove(approval.id);
      if (scope !== 'once') this.rulesChanged();
      return { fate: 'done', words: `${how}${REACH[scope]}: ${visible(approval.tool_name)} for ${visible(approval.agent)}.` };
    } catch (error) {
      return this.refused(approval, error);
    } finally {
      this.answering = undefined;
    }
  }

  rulesChanged(): void {
    this.rulesRound += 1;
  }

  private refused(approval: Approval, error: unknown): Outcome {
    this.own.delete(approval.id);
    if (error instanceof PlatformError && error.code === 'resolved' && error.approval) {
      const { status, decision } = error.approval;
      this.remove(approval.id);
      return { fate: 'elsewhere', words: `Answered elsewhere: ${status} by ${surface(decision?.by)}. Your answer changed nothing.` };
    }
    const words =
      error instanceof PlatformError && error.code === 'forbidden'
        ? 'Not answered: this page may no longer answer. Run countersign dashboard for a new address.'
        : `Not answered: ${reasonOf(error)}`;
    this.failed = { id: approval.id, words };
    return { fate: 'left', words };
  }

  private remove(id: string): void {
    this.set(this.pending.filter((approval) => approval.id !== id));
  }

  say(words: string, trouble = false): void {
    const id = ++this.serial;
    this.notices = [...this.notices.slice(-2), { id, words, trouble }];
    this.spoken = words;
    setTimeout(() => (this.notices = this.notices.filter((notice) => notice.id !== id)), NOTICE_MS);
  }
}
