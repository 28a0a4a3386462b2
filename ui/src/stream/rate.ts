// How many events came in the last minute, by the hub's own times: what was loaded with the page counts as well. Plain; no clock.
import type { EventRow } from '../generated/EventRow';

const SPAN_MS = 60_000;
const SLOT_MS = 1_000;

export class Rate {
  private readonly slots = new Map<number, number>();

  add(events: readonly EventRow[], now: number): void {
    for (const { time } of events) {
      const at = Date.parse(time);
      // An hour's history need not be counted to be left out again.
      if (Number.isNaN(at) || now - at >= SPAN_MS) continue;
      const slot = Math.floor(Math.min(at, now) / SLOT_MS);
      this.slots.set(slot, (this.slots.get(slot) ?? 0) + 1);
    }
  }

  perMinute(now: number): number {
    let events = 0;
    for (const [slot, count] of this.slots) {
      if (now - slot * SLOT_MS >= SPAN_MS + SLOT_MS) this.slots.delete(slot);
      else events += count;
    }
    return events;
  }
}
