// Arguments as a person edits them: commands, code and file contents as their texts, the rest as JSON; and back again, checked.
// Nothing of how it looks.
import { fields } from './read';

export interface Piece {
  readonly name: string;
  readonly text: string;
}

export interface Draft {
  /** Arguments that are read, and so written, as text. */
  readonly texts: readonly Piece[];
  /** All else, or all of it, as JSON. Undefined where the texts are all there is. */
  readonly json: string | undefined;
}

/** Both sides of a part of the arguments. */
export interface Sides {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** In the order in which they are written. */
const TEXTS = ['command', 'cmd', 'code', 'script', 'sql', 'file_path', 'notebook_path', 'old_string', 'new_string', 'content', 'new_source', 'url', 'pattern', 'query', 'prompt'];
/** Of these an empty one is no call at all. */
const COMMANDS = new Set(['command', 'cmd', 'code', 'script', 'sql']);

const pretty = (value: unknown): string => JSON.stringify(value, null, 2) ?? 'null';

export function draftOf(args: unknown): Draft {
  const rest = { ...fields(args) };
  const texts: Piece[] = [];
  for (const name of TEXTS) {
    const text = rest[name];
    // A field of the page knows no carriage return: such a text would come back as another.
    if (typeof text !== 'string' || text.includes('\r')) continue;
    texts.push({ name, text });
    delete rest[name];
  }
  if (texts.length === 0) return { texts, json: pretty(args) };
  return { texts, json: Object.keys(rest).length === 0 ? undefined : pretty(rest) };
}

export type Edited = { readonly fault: string } | { readonly fault: undefined; readonly value: unknown; readonly changed: boolean };

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

/** The arguments that the draft says, or what is wrong with it. */
export function edited(args: unknown, { texts, json }: Draft): Edited {
  let rest: unknown = {};
  if (json !== undefined) {
    try {
      rest = JSON.parse(json);
    } catch (error) {
      return { fault: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  if (texts.length === 0) {
    if (kindOf(rest) !== kindOf(args)) return { fault: `The arguments were ${kindOf(args)}, and this is ${kindOf(rest)}.` };
    return { fault: undefined, value: rest, changed: pretty(rest) !== pretty(args) };
  }
  if (kindOf(rest) !== 'an object') return { fault: `The other arguments are an object, and this is ${kindOf(rest)}.` };
  for (const { name, text } of texts) {
    if (Object.hasOwn(fields(rest), name)) return { fault: `The ${name} stands above: it cannot be among the other arguments, too.` };
    if (COMMANDS.has(name) && text.trim() === '') return { fault: `The ${name} is empty. Deny the call instead.` };
  }
  // In the order in which they came, so that a difference shows what changed and nothing else.
  const all: Record<string, unknown> = { ...fields(rest), ...Object.fromEntries(texts.map(({ name, text }) => [name, text])) };
  const order = Object.keys(fields(args)).filter((name) => Object.hasOwn(all, name));
  const value = Object.fromEntries([...order, ...Object.keys(all).filter((name) => !order.includes(name))].map((name) => [name, all[name]]));
  return { fault: undefined, value, changed: pretty(value) !== pretty(args) };
}

/** All of both, part by part, as a person compares them; the part without a name is the JSON. */
export function sides(before: unknown, after: unknown): Sides[] {
  const [old, now] = [draftOf(before), draftOf(after)];
  const names = TEXTS.filter((name) => [old, now].some(({ texts }) => texts.some((piece) => piece.name === name)));
  const of = ({ texts }: Draft, name: string): string => texts.find((piece) => piece.name === name)?.text ?? '';
  const parts = names.map((name) => ({ name, before: of(old, name), after: of(now, name) }));
  const [json, other] = [old.json ?? '', now.json ?? ''];
  return json === '' && other === '' ? parts : [...parts, { name: '', before: json, after: other }];
}
