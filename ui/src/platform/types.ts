// The one typed way from the page to its host, and what a host can do. No implementation, nothing of Svelte.
import type { Approval } from '../generated/Approval';
import type { Connection } from '../generated/Connection';
import type { ConnectionChange } from '../generated/ConnectionChange';
import type { EventRow } from '../generated/EventRow';
import type { Finding } from '../generated/Finding';
import type { HubStatus } from '../generated/HubStatus';
import type { Rule } from '../generated/Rule';
import type { Scope } from '../generated/Scope';
import type { SessionView } from '../generated/SessionView';
import type { Status } from '../generated/Status';
import type { Verdict } from '../generated/Verdict';
import type { ConnectWish, NewUpstream } from './connections';

/** What this page may do, and what its host does for it. */
export interface Capabilities {
  /** The page holds the approver right: it answers, stops and lifts stops. */
  readonly answer: boolean;
  /** Nothing else asks the person, so the page opens a modal for an approval. */
  readonly modal: boolean;
}

export interface SessionName {
  readonly agent: string;
  readonly session: string;
}

export interface Answer {
  readonly decision: Verdict;
  /** How far it reaches; this request alone when not said. */
  readonly scope?: Scope;
  /** A word to the agent. */
  readonly message?: string;
  /** Other arguments to run with, where the agent can carry that out. */
  readonly arguments?: unknown;
  /** Which of the request's own `grants` the agent keeps, by their places. */
  readonly grants?: readonly number[];
}

export interface Page {
  readonly events: EventRow[];
  /** Ask again with `since: next` for the rest; null when this is all of it. */
  readonly next: number | null;
}

export interface HistoryRange {
  /** Exclusive. */
  readonly since?: number;
  /** Inclusive. */
  readonly until?: number;
  readonly limit: number;
}

/** Events in order, all with `from <= seq <= to`. */
export interface Batch {
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly events: EventRow[];
  /** The place that was asked for is gone; the batches that follow go on from `head`. */
  readonly lost?: { readonly oldest: number; readonly head: number };
}

export interface StreamReader {
  /** The stream stands at `head`; what comes up to there is a replay. */
  opened(at: { epoch: string; head: number }): void;
  /** The next batch is asked for when this promise resolves: a page that is behind is never flooded. */
  batch(batch: Batch): Promise<void>;
  /** The hub is out of reach; the platform tries again by itself. */
  closed(why: string): void;
}

export type PlatformSignal =
  | { readonly type: 'status'; readonly status: HubStatus }
  /** `edit`: with its arguments open for editing. */
  | { readonly type: 'show_approval'; readonly id: string; readonly edit: boolean }
  /** Something of the host failed; `what` is what the page now does without. */
  | { readonly type: 'fault'; readonly what: string; readonly why: string }
  | { readonly type: 'capabilities'; readonly can: Capabilities };

export interface Platform {
  readonly name: 'desktop' | 'browser' | 'mock';
  readonly can: Capabilities;
  status(): Promise<HubStatus>;
  sessions(): Promise<SessionView[]>;
  approvals(status?: Status): Promise<Approval[]>;
  approval(id: string): Promise<Approval>;
  decide(id: string, answer: Answer): Promise<Approval>;
  stopSession(name: SessionName, message?: string): Promise<SessionView>;
  resumeSession(name: SessionName): Promise<SessionView>;
  /** What is answered without asking. */
  rules(): Promise<Rule[]>;
  revokeRule(id: string): Promise<void>;
  history(range: HistoryRange): Promise<Page>;
  /** AMIGA's `metrics_update`, or at least its `overview`, about the last hours (1 to 168). */
  metrics(hours: number): Promise<unknown>;
  addUpstream(upstream: NewUpstream): Promise<void>;
  removeUpstream(name: string): Promise<void>;
  /** Sends again what a webhook's target refused. */
  retryWebhook(name: string): Promise<void>;
  /** Agents of the hub's machine, and how they are connected; of all projects, or of the one in this folder. */
  connections(project?: string): Promise<Connection[]>;
  connectAgent(agent: string, wish: ConnectWish): Promise<ConnectionChange>;
  disconnectAgent(agent: string, dryRun: boolean, project?: string): Promise<ConnectionChange>;
  /** Looks at a connection end to end; puts right what can be put right, when told to. */
  examineAgent(agent: string, fix: boolean, project?: string): Promise<Finding[]>;
  /** Follows the log from `EPOCH:SEQ` (exclusive). Returns the way to end it. */
  stream(since: string, reader: StreamReader): () => void;
  /** Things the host has to say unasked. Returns the way to stop listening. */
  watch(listener: (signal: PlatformSignal) => void): () => void;
}

/** Why a request to the hub failed. */
export type FailureCode = 'unreachable' | 'forbidden' | 'resolved' | 'not_found' | 'failed';

export class PlatformError extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
    /** With `resolved`: what was decided, by whoever was first. */
    readonly approval?: Approval,
  ) {
    super(message);
    this.name = 'PlatformError';
  }
}
