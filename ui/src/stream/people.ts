// Who is there, as far as presence events (Cloud Agents) say. The newest word of each person counts.
import type { EventRow } from '../generated/EventRow';
import { fields, text } from './read';

export interface Person {
  readonly user: string;
  /** `online`, `away`, `busy`, `offline`, or a word of the client's own. */
  readonly status: string;
  readonly since: number;
  readonly seq: number;
}

const MOST = 500;
const ORDER = ['online', 'busy', 'away'];

function rank({ status }: Person): number {
  const at = ORDER.indexOf(status);
  return at < 0 ? ORDER.length : at;
}

export class People {
  private readonly known = new Map<string, Person>();

  /** In any order. Returns whether somebody's presence changed. */
  apply(events: readonly EventRow[]): boolean {
    let changed = false;
    for (const event of events) {
      if (event.kind !== 'user_presence') continue;
      const data = fields(event.data);
      const user = text(data, 'userId', 'user_id');
      const status = text(data, 'status');
      if (user === undefined || status === undefined) continue;
      const before = this.known.get(user);
      if (before && before.seq >= event.seq) continue;
      this.known.set(user, { user, status: status.toLowerCase(), since: before?.status === status ? before.since : Date.parse(event.time), seq: event.seq });
      changed = true;
    }
    while (this.known.size > MOST) this.known.delete(this.known.keys().next().value as string);
    return changed;
  }

  /** Those who are there, by how reachable they are, then by name. */
  list(): Person[] {
    return [...this.known.values()].filter(({ status }) => status !== 'offline').sort((a, b) => rank(a) - rank(b) || (a.user < b.user ? -1 : 1));
  }

  reset(): void {
    this.known.clear();
  }
}
