// The hub's REST interface as the browser uses it: same origin, a bearer when one is held, RFC 9457 problems as errors.
import type { Approval } from '../generated/Approval';
import type { Connection } from '../generated/Connection';
import type { ConnectionChange } from '../generated/ConnectionChange';
import type { EventRow } from '../generated/EventRow';
import type { Finding } from '../generated/Finding';
import type { HubStatus } from '../generated/HubStatus';
import type { Rule } from '../generated/Rule';
import type { SessionView } from '../generated/SessionView';
import type { Status } from '../generated/Status';
import type { ConnectWish, NewUpstream } from './connections';
import { PlatformError, type Answer, type FailureCode, type HistoryRange, type Page, type SessionName } from './types';

const TOKEN = 'countersign.token';
const TIMEOUT_MS = 20_000;
/** An examination runs programs and waits for events. */
const EXAMINATION_MS = 90_000;

interface ProblemDocument {
  title?: string;
  detail?: string;
  approval?: Approval;
}

function codeOf(status: number, problem: ProblemDocument): FailureCode {
  if (status === 401 || status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  return status === 409 && problem.approval ? 'resolved' : 'failed';
}

export class Rest {
  /** Told when the approver right is gained or lost. */
  onRight: () => void = () => undefined;

  /** What is shown to the hub: the bearer that a code was traded for, or else the token in the page's own address. */
  get token(): string | null {
    return sessionStorage.getItem(TOKEN) ?? this.given;
  }

  get mayAnswer(): boolean {
    return sessionStorage.getItem(TOKEN) !== null;
  }

  constructor(private readonly given: string | null = null) {}

  /** Trades the one-time code of `countersign dashboard` for a bearer that lives as long as this tab. */
  async exchange(code: string): Promise<void> {
    const { token } = await this.send<{ token: string }>('POST', '/api/dashboard', { code });
    sessionStorage.setItem(TOKEN, token);
    this.onRight();
  }

  status = (): Promise<HubStatus> => this.send('GET', '/api/status');
  sessions = async (): Promise<SessionView[]> => (await this.send<{ sessions: SessionView[] }>('GET', '/api/agents')).sessions;
  approval = (id: string): Promise<Approval> => this.send('GET', `/api/approvals/${encodeURIComponent(id)}`);
  decide = (id: string, answer: Answer): Promise<Approval> => this.send('POST', `/api/approvals/${encodeURIComponent(id)}/decision`, answer);
  stopSession = (name: SessionName, message?: string): Promise<SessionView> => this.session(name, 'stop', message ? { message } : {});
  resumeSession = (name: SessionName): Promise<SessionView> => this.session(name, 'resume', {});

  approvals = async (status?: Status): Promise<Approval[]> =>
    (await this.send<{ approvals: Approval[] }>('GET', `/api/approvals${status ? `?status=${status}` : ''}`)).approvals;

  history = async ({ since, until, limit }: HistoryRange): Promise<Page> => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (since !== undefined) query.set('since', String(since));
    if (until !== undefined) query.set('until', String(until));
    const page = await this.send<{ events: EventRow[]; next: string | null }>('GET', `/api/events?${query}`);
    return { events: page.events, next: page.next === null ? null : Number(page.next) };
  };

  /** The first event of the stream is a whole update; without a stream there is the overview. */
  metrics = async (hours: number): Promise<unknown> => (await this.firstEvent(`/api/stream/metrics?hours=${hours}`)) ?? this.send('GET', `/api/metrics/overview?hours=${hours}`);

  addUpstream = async (upstream: NewUpstream): Promise<void> => void (await this.send('POST', '/api/upstreams', upstream));
  removeUpstream = async (name: string): Promise<void> => void (await this.send('DELETE', `/api/upstreams/${encodeURIComponent(name)}`));
  retryWebhook = async (name: string): Promise<void> => void (await this.send('POST', `/api/webhooks/${encodeURIComponent(name)}/retry`, {}));

  connections = async (project?: string): Promise<Connection[]> => (await this.send<{ connections: Connection[] }>('GET', `/api/connections${project === undefined ? '' : `?project=${encodeURIComponent(project)}`}`)).connections;
  connectAgent = (agent: string, wish: ConnectWish): Promise<ConnectionChange> => this.send('POST', `/api/connections/${encodeURIComponent(agent)}`, wish);
  disconnectAgent = (agent: string, dryRun: boolean, project?: string): Promise<ConnectionChange> =>
    this.send('DELETE', `/api/connections/${encodeURIComponent(agent)}?dry_run=${dryRun}${project === undefined ? '' : `&project=${encodeURIComponent(project)}`}`);
  examineAgent = async (agent: string, fix: boolean, project?: string): Promise<Finding[]> =>
    (await this.send<{ findings: Finding[] }>('POST', `/api/connections/${encodeURIComponent(agent)}/examination`, { fix, ...(project === undefined ? {} : { project }) }, EXAMINATION_MS)).findings;

  /** The data of the first server-sent event, or nothing when there is none to be had. */
  private async firstEvent(path: string): Promise<unknown> {
    const { token } = this;
    const headers = { Accept: 'text/event-stream', ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(), TIMEOUT_MS);
    try {
      const response = await fetch(path, { headers, cache: 'no-store', credentials: 'omit', signal: ended.signal });
      if (!response.ok || !response.body) return undefined;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ''; ; ) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += value;
        const data = /^data: ?(.*)\r?\n/m.exec(text)?.[1];
        if (data !== undefined) return JSON.parse(data);
      }
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
      ended.abort();
    }
  }

  rules = async (): Promise<Rule[]> => (await this.send<{ rules: Rule[] }>('GET', '/api/rules')).rules;

  revokeRule = async (id: string): Promise<void> => {
    await this.send('DELETE', `/api/rules/${encodeURIComponent(id)}`);
  };

  private session(name: SessionName, verb: string, body: object): Promise<SessionView> {
    return this.send('POST', `/api/sessions/${encodeURIComponent(name.session)}/${verb}?agent=${encodeURIComponent(name.agent)}`, body);
  }

  private async send<T>(method: string, path: string, body?: object, timeout = TIMEOUT_MS): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    const token = this.token;
    if (token !== null) headers['Authorization'] = `Bearer ${token}`;
    if (body) headers['Content-Type'] = 'application/json';
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        cache: 'no-store',
        credentials: 'omit',
        signal: AbortSignal.timeout(timeout),
      });
      answer = await response.json().catch(() => null);
    } catch {
      throw new PlatformError('unreachable', 'The hub does not answer. Is it running?');
    }
    if (response.ok) return answer as T;
    const problem = (typeof answer === 'object' && answer !== null ? answer : {}) as ProblemDocument;
    const code = codeOf(response.status, problem);
    if (code === 'forbidden' && this.mayAnswer) {
      sessionStorage.removeItem(TOKEN);
      this.onRight();
    }
    throw new PlatformError(code, problem.detail ?? problem.title ?? `The hub answered ${response.status}.`, problem.approval);
  }
}
