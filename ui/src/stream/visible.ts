// Makes text that cannot lie: control, bidi, zero-width and look-alike blank characters become ⟨U+202E⟩.
// Line feeds and tabs stay; a carriage return stays only before a line feed.

// Cc, Cf, Zl, Zp, Cs, Co, and letters and marks that render as nothing.
const HIDDEN =
  /(?!\n|\t|\r\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u2800\u3164\uFE00-\uFE0F\uFFA0\u{E0100}-\u{E01EF}]|(?! )\p{Zs}/gu;

/** More marked characters than this are shown unmarked in style: a span each would cost more than it tells. */
const MOST_MARKS = 2000;

export interface Segment {
  readonly text: string;
  /** Stands for a character that would not be seen. */
  readonly mark: boolean;
}

function spell(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** On a line of its own, where a break would look like a blank, layout is hidden too. */
const HIDDEN_ON_A_LINE = new RegExp(`${HIDDEN.source}|[\\n\\t\\r]`, 'gu');

/** The text with every hidden character spelled out. */
export function visible(text: string): string {
  return text.replace(HIDDEN, spell);
}

/** The same, split so that the spelled ones can be told from the same letters typed out; of a name or a path as one `line`. */
export function segments(text: string, line = false): Segment[] {
  const hidden = line ? HIDDEN_ON_A_LINE : HIDDEN;
  const found: Segment[] = [];
  let at = 0;
  let marks = 0;
  for (const match of text.matchAll(hidden)) {
    if (++marks > MOST_MARKS) return [{ text: text.replace(hidden, spell), mark: false }];
    if (match.index > at) found.push({ text: text.slice(at, match.index), mark: false });
    const last = found.at(-1);
    if (last?.mark) found[found.length - 1] = { text: last.text + spell(match[0]), mark: true };
    else found.push({ text: spell(match[0]), mark: true });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ text: text.slice(at), mark: false });
  return found;
}

/** One line of it: breaks become ↵, runs of blanks one blank, and no more than `most` characters. */
export function oneLine(text: string, most = 240): string {
  const start = text.length > most * 4 ? text.slice(0, most * 4) : text;
  const line = visible(start.trim().replace(/[ \t]*(\r?\n)+[ \t]*/g, ' ↵ ').replace(/[ \t]+/g, ' '));
  return line.length > most || start.length < text.length ? `${line.slice(0, most).replace(/[\uD800-\uDBFF]$/, '')}…` : line;
}
