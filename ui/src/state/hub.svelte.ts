// The page's picture of the hub: connection, status, sessions, loaded rows. Fed by the platform, once a frame; shows nothing.
import type { EventRow } from '../generated/EventRow';
import type { HubStatus } from '../generated/HubStatus';
import type { Person } from '../generated/Person';
import { PlatformError, type Batch, type Capabilities, type Page, type Platform, type SessionName } from '../platform/types';
import { EVERYTHING, FilteredRows, type Filter } from '../stream/filter';
import { Frames } from '../stream/frames';
import { isProbe } from '../stream/kinds';
import { lighten } from '../stream/lighten';
import { People } from '../stream/people';
import { Rate } from '../stream/rate';
import type { Row } from '../stream/row';
import { reasonOf } from '../stream/read';
import { SessionBook, type Session } from '../stream/sessions';
import { Timeline } from '../stream/timeline';
import { count } from '../stream/words';

const PAGE = 500;
const RESYNC_MS = 5_000;
const RETRY_MS = 2_000;
const SESSIONS_MS = 200;
const STATUS = 'The state of the hub';
const SESSIONS = 'The list of sessions is not up to date';

export type Phase = 'connecting' | 'replaying' | 'live' | 'closed';

export class Hub {
  phase = $state<Phase>('connecting');
  /** Why there is no connection. */
  why = $state('');
  closedSince = $state(0);
  status = $state.raw<HubStatus>();
  can = $state.raw<Capabilities>({ answer: false, modal: false });
  /** Rows that pass the filter, oldest first. */
  rows = $state.raw<Row[]>([]);
  /** There is more to show than that a connection was looked at. */
  happened = $state(false);
  /** Rows loaded. */
  total = $state(0);
  /** Goes up when rows changed in place. */
  version = $state(0);
  sessions = $state.raw<Session[]>([]);
  /** Who is there, as far as the loaded events say. */
  people = $state.raw<Person[]>([]);
  filter = $state.raw<Filter>(EVERYTHING);
  /** What the page goes without, and why: said in words until it is there again. */
  faults = $state.raw<ReadonlyMap<string, string>>(new Map());
  /** Something that the person should know about the rows. */
  note = $state('');
  loadingOlder = $state(false);
  atOldest = $state(false);
  /** The replay's goal. */
  head = $state(0);
  place = $state(0);
  perMinute = $state(0);
  loaded = $state(false);

  /** Somebody reads older rows: they are kept longer. */
  reading = false;
  /** Told of the events of every frame. */
  onEvents: (events: readonly EventRow[]) => void = () => undefined;
  /** Told when what was missed has to be asked for. */
  onResync: () => void = () => undefined;
  onShowApproval: (id: string, edit: boolean) => void = () => undefined;

  private readonly timeline = new Timeline();
  private readonly filtered = new FilteredRows();
  private readonly book = new SessionBook();
  private readonly folk = new People();
  readonly sessionOf = (agent: string, session: string): Session | undefined => this.book.find(agent, session);
  private readonly frames = new Frames<Batch>((batches) => this.applyAll(batches));
  private readonly rate = new Rate();
  private stale = false;
  private listing: ReturnType<typeof setTimeout> | undefined;
  private listed = 0;

  constructor(readonly platform: Platform) {
    this.can = platform.can;
    platform.watch((signal) => {
      if (signal.type === 'status') {
        this.know(signal.status);
        this.clearFault(STATUS);
      }
      else if (signal.type === 'capabilities') this.can = signal.can;
      else if (signal.type === 'fault') this.fault(signal.what, signal.why);
      else this.onShowApproval(signal.id, signal.edit);
    });
    setInterval(() => this.tick(), RESYNC_MS);
  }

  async start(): Promise<void> {
    try {
      const status = await this.platform.status();
      this.know(status);
      const head = status.head;
      // One after the other: the hub's own account corrects what the loaded events make of the sessions, and is none that they add to.
      await this.loadPage(head);
      await this.syncSessions();
      this.loaded = true;
      this.onResync();
      this.platform.stream(`${status.epoch}:${head}`, {
        opened: (at) => this.opened(at.head),
        batch: (batch) => this.take(batch),
        closed: (why) => this.closed(why),
      });
    } catch (error) {
      this.closed(error instanceof PlatformError ? error.message : String(error));
      setTimeout(() => void this.start(), RETRY_MS);
    }
  }

  private opened(head: number): void {
    const again = this.phase === 'closed';
    this.head = head;
    this.phase = head > this.timeline.last ? 'replaying' : 'live';
    if (again) this.resync();
  }

  private closed(why: string): void {
    if (this.phase !== 'closed') this.closedSince = Date.now();
    this.phase = 'closed';
    this.why = why;
  }

  fault(what: string, error: unknown): void {
    this.faults = new Map(this.faults).set(what, reasonOf(error));
  }

  /** It is there again, or the person has read that it is not. */
  clearFault(what: string): void {
    if (this.faults.has(what)) this.faults = new Map([...this.faults].filter(([known]) => known !== what));
  }

  /** What the hub says of itself, asked for now. */
  async refreshStatus(): Promise<void> {
    this.know(await this.platform.status());
    this.clearFault(STATUS);
  }

  /** The same unasked: a failure is said. */
  lookAtStatus(): void {
    this.refreshStatus().catch((error: unknown) => this.fault(STATUS, error));
  }

  private resync(): void {
    this.lookAtStatus();
    void this.syncSessions();
    this.onResync();
  }

  private async take(batch: Batch): Promise<void> {
    if (batch.lost) await this.recover(batch.lost);
    await this.frames.push(batch);
  }

  /** The hub no longer has the place where this page stood: what can be read is loaded anew. */
  private async recover(lost: { oldest: number; head: number }): Promise<void> {
    const last = this.timeline.last;
    this.timeline.reset();
    this.atOldest = false;
    this.note =
      lost.oldest > last + 1
        ? `History was lost: events ${count(last + 1)} to ${count(lost.oldest - 1)} can no longer be read. What follows is complete.`
        : 'The place where this window stood is gone from the log, and the newest events are loaded anew.';
    try {
      await this.loadPage(lost.head);
    } catch (error) {
      this.note += ` What was before could not be loaded: ${reasonOf(error)}`;
    }
    this.resync();
  }

  private async loadPage(head: number): Promise<void> {
    if (head === 0) return;
    const since = Math.max(0, head - PAGE);
    const events = await this.range(since, head);
    const changed = this.timeline.apply(events);
    this.book.apply(events);
    this.meet(events);
    this.count(events);
    if (since === 0) this.atOldest = true;
    this.show(changed);
  }

  private count(events: readonly EventRow[]): void {
    const now = Date.now();
    this.rate.add(events, now);
    this.perMinute = this.rate.perMinute(now);
  }

  /** All events of a range, however many answers they come in; large ones lightened at once. */
  private async range(since: number, until: number): Promise<EventRow[]> {
    const found: EventRow[] = [];
    for (let from: number | null = since; from !== null && from < until; ) {
      const page: Page = await this.platform.history({ since: from, until, limit: PAGE });
      for (const event of page.events) found.push(lighten(event).event);
      from = page.next !== null && page.next > from ? page.next : null;
    }
    return found;
  }

  private applyAll(batches: Batch[]): void {
    const events = batches.length === 1 ? batches[0]!.events : batches.flatMap((batch) => batch.events);
    const changed = this.timeline.apply(events, !this.reading);
    this.place = this.timeline.last;
    if (this.phase === 'replaying' && this.timeline.last >= this.head) this.phase = 'live';
    if (events.length === 0) return;
    this.book.apply(events);
    this.meet(events);
    this.stale = true;
    this.rate.add(events, Date.now());
    this.show(changed);
    this.onEvents(events);
  }

  private show(changed: ReadonlySet<Row>): void {
    this.filtered.follow(this.timeline.rows, changed);
    this.rows = this.filtered.rows;
    this.total = this.timeline.rows.length;
    this.happened ||= this.timeline.rows.some(({ events: known }) => !known.every(isProbe));
    this.version += 1;
    this.showSessions();
  }

  private know(status: HubStatus): void {
    this.status = status;
    this.folk.correct(status.presence);
    this.people = this.folk.list();
  }

  private meet(events: readonly EventRow[]): void {
    if (this.folk.apply(events)) this.people = this.folk.list();
  }

  /** The rail need not move with every frame, and with many sessions must not. */
  private showSessions(): void {
    if (this.listing !== undefined) return;
    const wait = Math.max(0, this.listed + SESSIONS_MS - Date.now());
    this.listing = setTimeout(() => {
      this.listing = undefined;
      this.listed = Date.now();
      this.sessions = this.book.list(this.listed);
      this.perMinute = this.rate.perMinute(this.listed);
    }, wait);
  }

  setFilter(filter: Filter): void {
    this.filter = filter;
    this.filtered.set(filter, this.timeline.rows);
    this.rows = this.filtered.rows;
    this.version += 1;
  }

  /** Loads the page before the oldest loaded event from the store. */
  async loadOlder(): Promise<void> {
    if (this.loadingOlder || this.atOldest || !this.loaded) return;
    if (this.timeline.room < PAGE) {
      this.note = `${count(this.total)} rows are loaded, the most this window holds. Older ones: countersign export`;
      return;
    }
    this.loadingOlder = true;
    try {
      const until = this.timeline.first - 1;
      const oldest = this.status?.oldest ?? 1;
      if (until < oldest) {
        this.atOldest = true;
        return;
      }
      const since = Math.max(0, until - PAGE);
      const events = await this.range(since, until);
      this.timeline.prepend(events);
      this.meet(events);
      if (since < oldest || events.length === 0) this.atOldest = true;
      this.setFilter(this.filter);
      this.total = this.timeline.rows.length;
    } catch (error) {
      this.note = `Older events could not be loaded: ${reasonOf(error)}`;
    } finally {
      this.loadingOlder = false;
    }
  }

  /** The newest rows are followed again: those held for a reader are let go of. */
  followed(): void {
    this.reading = false;
    const before = this.timeline.rows;
    this.timeline.follow();
    if (this.timeline.rows !== before) {
      this.atOldest = false;
      this.setFilter(this.filter);
      this.total = this.timeline.rows.length;
    }
  }

  /** The tools of the approvals that wait, by session key. */
  waiting(asked: ReadonlyMap<string, readonly string[]>): void {
    this.book.waiting(asked, Date.now());
    this.sessions = this.book.list(Date.now());
  }

  async stopSession(name: SessionName, message?: string): Promise<void> {
    this.book.correct([await this.platform.stopSession(name, message)], false);
    this.sessions = this.book.list(Date.now());
  }

  async resumeSession(name: SessionName): Promise<void> {
    this.book.correct([await this.platform.resumeSession(name)], false);
    this.sessions = this.book.list(Date.now());
  }

  private async syncSessions(): Promise<void> {
    try {
      const asked = Date.now();
      this.book.correct(await this.platform.sessions(), true, asked);
      this.sessions = this.book.list(Date.now());
      this.clearFault(SESSIONS);
    } catch (error) {
      // The next round asks again; the stream goes on meanwhile.
      this.stale = true;
      this.fault(SESSIONS, error);
    }
  }

  private tick(): void {
    const now = Date.now();
    this.perMinute = this.rate.perMinute(now);
    this.sessions = this.book.list(now);
    if (this.phase === 'closed' || document.visibilityState === 'hidden') return;
    // Connections come and go without an event; a browser's host asks by itself.
    if (this.platform.name === 'desktop') this.lookAtStatus();
    if (!this.stale) return;
    this.stale = false;
    void this.syncSessions();
  }
}
