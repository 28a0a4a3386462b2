// Who is there: what the hub says, and the presence events (Cloud Agents) that came after it said so.
import type { EventRow } from '../generated/EventRow';
import type { Person } from '../generated/Person';
import type { Presence } from '../generated/Presence';
import { fields, text } from './read';

const ORDER = ['online', 'busy', 'away'];

function rank({ status }: Person): number {
  const at = ORDER.indexOf(status);
  return at < 0 ? ORDER.length : at;
}

export class People {
  private readonly known = new Map<string, Person>();
  private at = 0;

  /** Takes what the hub says; what came after it goes on counting. */
  correct({ at, people }: Presence): void {
    for (const { user, seq } of [...this.known.values()]) if (seq <= at) this.known.delete(user);
    for (const person of people) if (!this.known.has(person.user)) this.known.set(person.user, person);
    this.at = at;
  }

  /** In any order; older events than the hub's word say nothing of who is there now. Returns whether somebody's presence changed. */
  apply(events: readonly EventRow[]): boolean {
    let changed = false;
    for (const { seq, kind, time, data } of events) {
      if (kind !== 'user_presence' || seq <= this.at) continue;
      const said = fields(data);
      const user = text(said, 'userId', 'user_id');
      const status = text(said, 'status')?.toLowerCase();
      if (user === undefined || status === undefined) continue;
      const before = this.known.get(user);
      if (before && before.seq >= seq) continue;
      this.known.set(user, { user, status, since: before?.status === status ? before.since : time, seq });
      changed = true;
    }
    return changed;
  }

  /** Those who are there, by how reachable they are, then by name. */
  list(): Person[] {
    return [...this.known.values()].filter(({ status }) => status !== 'offline').sort((a, b) => rank(a) - rank(b) || (a.user < b.user ? -1 : 1));
  }
}
