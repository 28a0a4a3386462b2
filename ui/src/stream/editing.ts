// Arguments as a person edits them: a command as its text, the rest as JSON; and back again, checked. Nothing of how it looks.
import { fields } from './read';

export interface Draft {
  /** The command's text, where the arguments have one. */
  readonly command: string | undefined;
  /** All else, or all of it, as JSON. Undefined where the command is all there is. */
  readonly json: string | undefined;
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2) ?? 'null';

export function draftOf(args: unknown): Draft {
  const { command, ...rest } = fields(args);
  if (typeof command !== 'string') return { command: undefined, json: pretty(args) };
  return { command, json: Object.keys(rest).length === 0 ? undefined : pretty(rest) };
}

export type Edited = { readonly fault: string } | { readonly fault: undefined; readonly value: unknown; readonly changed: boolean };

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

/** The arguments that the draft says, or what is wrong with it. */
export function edited(args: unknown, draft: Draft): Edited {
  let rest: unknown = {};
  if (draft.json !== undefined) {
    try {
      rest = JSON.parse(draft.json);
    } catch (error) {
      return { fault: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  if (draft.command === undefined) {
    if (kindOf(rest) !== kindOf(args)) return { fault: `The arguments were ${kindOf(args)}, and this is ${kindOf(rest)}.` };
    return { fault: undefined, value: rest, changed: pretty(rest) !== pretty(args) };
  }
  if (kindOf(rest) !== 'an object') return { fault: `The other arguments are an object, and this is ${kindOf(rest)}.` };
  if (Object.hasOwn(fields(rest), 'command')) return { fault: 'The command stands above: it cannot be among the other arguments, too.' };
  if (draft.command.trim() === '') return { fault: 'The command is empty. Deny the call instead.' };
  // In the order in which they came, so that a difference shows what changed and nothing else.
  const { command } = draft;
  const order = Object.keys(fields(args)).filter((name) => name === 'command' || Object.hasOwn(fields(rest), name));
  const all: Record<string, unknown> = { ...fields(rest), command };
  const value = Object.fromEntries([...order, ...Object.keys(all).filter((name) => !order.includes(name))].map((name) => [name, all[name]]));
  return { fault: undefined, value, changed: pretty(value) !== pretty(args) };
}

/** Both sides of a change as a person compares them. */
export function sides(before: unknown, after: unknown): { before: string; after: string } {
  return { before: pretty(before), after: pretty(after) };
}
