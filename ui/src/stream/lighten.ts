// Keeps what the page holds of an event small. The whole stays in the store, where details fetch it by seq.
import type { EventRow } from '../generated/EventRow';
import { fields } from './read';

/** What a loaded event may weigh, in characters and nodes. */
export const EVENT_BUDGET = 16 * 1024;
const STRING_BUDGET = 4 * 1024;

/** A rough weight; stops counting past the limit. */
function weigh(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length + 8;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = 16;
  for (const key in value) {
    sum += key.length + weigh((value as Record<string, unknown>)[key], limit - sum);
    if (sum > limit) break;
  }
  return sum;
}

/** A copy with nothing of the original behind it: a slice alone would keep the whole string alive. */
function head(value: string, length: number): string {
  const end = /[\uD800-\uDBFF]/.test(value.charAt(length - 1)) ? length - 1 : length;
  return JSON.parse(JSON.stringify(value.slice(0, end))) as string;
}

function cut(value: unknown, left: { budget: number }): unknown {
  if (typeof value === 'string') {
    const most = Math.max(64, Math.min(STRING_BUDGET, left.budget));
    left.budget -= Math.min(value.length, most) + 8;
    return value.length > most ? `${head(value, most)}…` : value;
  }
  left.budget -= 16;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const kept: unknown[] = [];
    for (const item of value) {
      if (left.budget <= 0) break;
      kept.push(cut(item, left));
    }
    return kept;
  }
  const kept: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (left.budget <= 0) break;
    left.budget -= key.length;
    kept[key] = cut(item, left);
  }
  return kept;
}

export interface Light {
  readonly event: EventRow;
  /** Something was left out here, or by the hub or the agent before. */
  readonly partial: boolean;
}

/** Events that were cut here, so that cutting again says so again. */
const made = new WeakSet<EventRow>();

export function lighten(event: EventRow): Light {
  const data = fields(event.data);
  if (made.has(event)) return { event, partial: true };
  if (weigh(data, EVENT_BUDGET) <= EVENT_BUDGET) return { event, partial: data['truncated'] === true };
  const light = { ...event, data: cut(data, { budget: EVENT_BUDGET }) as Record<string, unknown> };
  made.add(light);
  return { event: light, partial: true };
}
