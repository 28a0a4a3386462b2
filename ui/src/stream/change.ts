// A call that changes a file, read from its arguments: which texts go and come, and what else is said. Knows the shapes in which
// Claude Code's Edit, MultiEdit and Write, and other agents' edits, say it.
import { fields, type Fields } from './read';

export interface Edit {
  readonly before: string;
  readonly after: string;
  /** Each place where it occurs, not one. */
  readonly everywhere: boolean;
}

export interface Change {
  readonly edits: readonly Edit[];
  /** The whole of the file is written: what it was before is not said. */
  readonly fresh: boolean;
  /** The other arguments, the file's name among them. */
  readonly rest: Fields;
}

const EDITS = [
  ['old_string', 'new_string'],
  ['old_str', 'new_str'],
  ['old_text', 'new_text'],
] as const;
const WRITES = /^(write|create)(_?file)?$/i;

function editOf(from: Fields): { edit: Edit; rest: Fields } | undefined {
  for (const [old, fresh] of EDITS) {
    const { [old]: before, [fresh]: after, ...more } = from;
    if (typeof before !== 'string' || typeof after !== 'string') continue;
    const { replace_all, ...rest } = more;
    const everywhere = replace_all === true;
    return { edit: { before, after, everywhere }, rest: typeof replace_all === 'boolean' ? rest : more };
  }
  return undefined;
}

/** Nothing for any other call. */
export function changeOf(args: unknown, tool?: string): Change | undefined {
  const from = fields(args);
  const one = editOf(from);
  if (one) return { edits: [one.edit], fresh: one.edit.before === '', rest: one.rest };
  const { edits, ...rest } = from;
  if (Array.isArray(edits) && edits.length > 0) {
    const each = edits.map((edit: unknown) => editOf(fields(edit)));
    // With anything else in one of them, all of it is shown as it came.
    if (each.every((known) => known !== undefined && Object.keys(known.rest).length === 0)) {
      return { edits: each.map((known) => known!.edit), fresh: false, rest };
    }
  }
  const { content, ...others } = from;
  if (typeof content === 'string' && (typeof from['file_path'] === 'string' || WRITES.test(tool ?? ''))) {
    return { edits: [{ before: '', after: content, everywhere: false }], fresh: true, rest: others };
  }
  return undefined;
}
