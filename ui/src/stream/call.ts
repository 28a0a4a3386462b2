// Reads a tool call's arguments as a person would: which part is the command, which are its settings.
import { askedBy } from './asked';
import { changeOf } from './change';
import { diff } from './diff';
import { fields, isEmpty } from './read';

export interface Part {
  readonly name: string;
  readonly value: unknown;
  /** Text to be read as code, in a box of its own. */
  readonly block: boolean;
}

/** Arguments that say most, first. */
const LEADING = ['command', 'cmd', 'code', 'script', 'sql', 'plan', 'query', 'file_path', 'notebook_path', 'path', 'filename', 'url', 'pattern', 'prompt', 'message', 'text', 'content'];
const CODE = new Set(['command', 'cmd', 'code', 'script', 'sql', 'content', 'plan', 'new_source', 'old_string', 'new_string', 'diff', 'patch']);
const LONG = 80;

function rank(name: string): number {
  const place = LEADING.indexOf(name);
  return place < 0 ? LEADING.length : place;
}

/** Every argument, the leading ones first; nothing is left out. */
export function parts(args: unknown): Part[] {
  if (typeof args === 'string') return [{ name: '', value: args, block: true }];
  if (typeof args !== 'object' || args === null) return args === undefined || args === null ? [] : [{ name: '', value: args, block: false }];
  if (Array.isArray(args)) return args.length === 0 ? [] : [{ name: '', value: args, block: false }];
  return Object.entries(fields(args))
    .map(([name, value]) => ({
      name,
      value,
      block: typeof value === 'string' && (CODE.has(name) || value.length > LONG || value.includes('\n')),
    }))
    .sort((a, b) => rank(a.name) - rank(b.name));
}

/** The agent's own questions, where that is all there is. */
function questionsOf(args: unknown): string | undefined {
  const asked = askedBy('AskUserQuestion', args);
  return asked.shape === 'questions' ? asked.questions.map(({ question }) => question).join('  ') : undefined;
}

/** The arguments in a line: the command alone where it is the only thing said, an edit as its file and count of lines. */
export function gist(args: unknown): string {
  const asks = questionsOf(args);
  if (asks !== undefined) return asks;
  const change = changeOf(args);
  if (change) {
    const lines = change.edits.flatMap(({ before, after }) => diff(before, after));
    const tally = (sign: string): number => lines.filter((line) => line.sign === sign).length;
    return `${gist(change.rest)}  +${tally('+')}${change.fresh ? '' : ` -${tally('-')}`}`;
  }
  const known = parts(args).filter((part) => !isEmpty(part.value));
  // A command says itself what it does; prose beside it would read as part of it.
  const all = known[0]?.name === 'command' ? known.filter(({ name }) => name !== 'description') : known;
  const show = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
  const [first, ...rest] = all;
  if (!first) return '';
  const lead = rank(first.name) < LEADING.length || first.name === '' ? show(first.value) : `${first.name}=${show(first.value)}`;
  return [lead, ...rest.map((part) => `${part.name}=${show(part.value)}`)].join('  ');
}
