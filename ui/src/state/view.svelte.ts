// What this person is looking at: view, filter, selection, follow and pause, theme. Nothing of it leaves the page.
import type { ViewName } from '../features/views';
import type { SessionName } from '../platform/types';
import { EVERYTHING } from '../stream/filter';
import type { Group, Row } from '../stream/row';
import type { Session } from '../stream/sessions';
import type { Hub } from './hub.svelte';

export type Theme = 'system' | 'light' | 'dark';

const THEME = 'countersign.theme';

/** Index of the first row with an id over the given one; rows are in order of id. */
export function after(rows: readonly Row[], id: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.id <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class View {
  name = $state<ViewName>('live');
  selectedId = $state<number>();
  /** Sticks to the newest row. */
  following = $state(true);
  /** The rows as they were when the view was paused. */
  private frozen = $state.raw<Row[]>();
  /** The newest row that has been in view, for "132 new". */
  seen = $state(0);
  /** What the metrics are about. */
  hours = $state(24);
  help = $state(false);
  railOpen = $state(false);
  stopping = $state.raw<Session>();
  theme = $state<Theme>('system');

  private readonly systemDark = matchMedia('(prefers-color-scheme: dark)');

  constructor(private readonly hub: Hub) {
    this.systemDark.addEventListener('change', () => this.applyTheme());
    const kept = localStorage.getItem(THEME);
    if (kept === 'light' || kept === 'dark') this.theme = kept;
    this.applyTheme();
  }

  get paused(): boolean {
    return this.frozen !== undefined;
  }

  get rows(): Row[] {
    return this.frozen ?? this.hub.rows;
  }

  get fresh(): number {
    const { rows } = this.hub;
    return rows.length - after(rows, this.seen);
  }

  get selected(): Row | undefined {
    void this.hub.version;
    if (this.selectedId === undefined) return undefined;
    const row = this.rows[after(this.rows, this.selectedId) - 1];
    return row?.id === this.selectedId ? row : undefined;
  }

  select(id: number | undefined): void {
    this.selectedId = id;
    if (id !== undefined) this.unfollow();
  }

  /** `j` and `k`. */
  step(by: number): void {
    const { rows } = this;
    if (rows.length === 0) return;
    const at = this.selectedId === undefined ? (by > 0 ? rows.length - 2 : rows.length) : after(rows, this.selectedId) - 1;
    const row = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (row) this.select(row.id);
  }

  unfollow(): void {
    if (!this.following) return;
    this.following = false;
    this.hub.reading = true;
    this.seen = this.rows.at(-1)?.id ?? 0;
  }

  follow(): void {
    this.frozen = undefined;
    this.following = true;
    this.hub.followed();
  }

  pause(): void {
    if (this.frozen) {
      this.frozen = undefined;
      return;
    }
    this.seen = this.hub.rows.at(-1)?.id ?? 0;
    this.frozen = this.hub.rows;
  }

  private refilter(change: Partial<typeof EVERYTHING>): void {
    this.hub.setFilter({ ...this.hub.filter, ...change });
    if (this.frozen) this.frozen = this.hub.rows;
  }

  search(text: string): void {
    this.refilter({ text });
  }

  toggleGroup(group: Group): void {
    const groups = new Set(this.hub.filter.groups);
    if (!groups.delete(group)) groups.add(group);
    this.refilter({ groups });
  }

  toggleTrouble(): void {
    this.refilter({ trouble: !this.hub.filter.trouble });
  }

  pickSession(session: SessionName | undefined): void {
    const known = this.hub.filter.session;
    const same = known && session && known.agent === session.agent && known.session === session.session;
    this.refilter({ session: same ? undefined : session });
    this.railOpen = false;
  }

  clearFilter(): void {
    this.refilter(EVERYTHING);
  }

  cycleTheme(): void {
    this.theme = this.theme === 'system' ? 'light' : this.theme === 'light' ? 'dark' : 'system';
    if (this.theme === 'system') localStorage.removeItem(THEME);
    else localStorage.setItem(THEME, this.theme);
    this.applyTheme();
  }

  private applyTheme(): void {
    const dark = this.theme === 'dark' || (this.theme === 'system' && this.systemDark.matches);
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  }
}
