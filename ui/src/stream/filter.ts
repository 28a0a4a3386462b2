// Which of the loaded rows are shown. Follows the timeline in one pass a frame, without looking at every row again.
import type { SessionName } from '../platform/types';
import { isCall, type Group, type Row } from './row';
import { haystack } from './summary';

export interface Filter {
  readonly text: string;
  /** Groups to show; empty shows all. */
  readonly groups: ReadonlySet<Group>;
  /** Only what went wrong: failed, blocked, stopped, denied, expired. */
  readonly trouble: boolean;
  readonly session: SessionName | undefined;
}

export const EVERYTHING: Filter = { text: '', groups: new Set(), trouble: false, session: undefined };

const TROUBLE = new Set(['failed', 'blocked', 'stopped', 'denied', 'expired', 'cancelled', 'left']);
const TROUBLED = new Set(['session_stopped', 'execution_failed', 'turn_failed', 'constraint_violation']);

export function isEverything(filter: Filter): boolean {
  return filter.text.trim() === '' && filter.groups.size === 0 && !filter.trouble && !filter.session;
}

/** Of the session itself, or of a subagent that it started. */
function isOf(session: string | undefined, wanted: string): boolean {
  return session === wanted || (session?.startsWith(`${wanted}/`) ?? false);
}

function test(filter: Filter): (row: Row) => boolean {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const { groups, session, trouble } = filter;
  return (row) =>
    (!session || (row.agent === session.agent && isOf(row.session, session.session))) &&
    (groups.size === 0 || groups.has(row.group) || (groups.has('judgements') && row.judgements.length > 0)) &&
    (!trouble || TROUBLE.has(row.outcome) || (isCall(row) ? false : TROUBLED.has(row.kind) || row.waits || row.group === 'judgements')) &&
    words.every((word) => haystack(row).includes(word));
}

export class FilteredRows {
  /** Oldest first. A new array whenever it changed. */
  rows: Row[] = [];
  private filter = EVERYTHING;
  private passes = test(EVERYTHING);
  private source: readonly Row[] = [];
  private shown = new Set<Row>();

  set(filter: Filter, source: Row[]): void {
    this.filter = filter;
    this.passes = test(filter);
    this.again(source);
  }

  private again(source: Row[]): void {
    this.source = source;
    if (isEverything(this.filter)) {
      this.rows = source;
      this.shown = new Set();
      return;
    }
    this.rows = source.filter(this.passes);
    this.shown = new Set(this.rows);
  }

  /** After the timeline took events in: `changed` are the rows it touched, new ones included. */
  follow(source: Row[], changed: ReadonlySet<Row>): void {
    if (isEverything(this.filter) || this.source.length === 0) return this.again(source);
    const known = this.source[this.source.length - 1]?.id ?? 0;
    const fresh: Row[] = [];
    for (const row of changed) {
      if (row.id > known) {
        if (this.passes(row)) fresh.push(row);
      } else if (this.passes(row) !== this.shown.has(row)) return this.again(source);
    }
    if (this.source[0] !== source[0]) {
      const first = source[0]?.id ?? Infinity;
      if (first < (this.source[0]?.id ?? 0)) return this.again(source);
      const keep = this.rows.findIndex((row) => row.id >= first);
      for (const row of keep < 0 ? this.rows : this.rows.slice(0, keep)) this.shown.delete(row);
      this.rows = keep < 0 ? [] : this.rows.slice(keep);
    }
    this.source = source;
    if (fresh.length === 0) return;
    for (const row of fresh) this.shown.add(row);
    this.rows = this.rows.concat(fresh);
  }
}
