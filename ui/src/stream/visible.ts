// Makes text that cannot lie: control, bidi, zero-width and look-alike blank characters become ⟨U+202E⟩.
// Line feeds and tabs stay; a carriage return stays only before a line feed.

// The table of crates/model/src/visible.rs (crates/model/src/visible.json holds both to it), and halves of surrogate pairs,
// which only this side can meet. Spelled out by number, so that an engine's version of Unicode changes nothing.
const TABLE = [
  String.raw`\u{0000}-\u{001F}\u{007F}-\u{009F}\u{00A0}\u{00AD}\u{034F}\u{0600}-\u{0605}\u{061C}\u{06DD}\u{070F}`,
  String.raw`\u{0890}-\u{0891}\u{08E2}\u{115F}-\u{1160}\u{1680}\u{17B4}-\u{17B5}\u{180B}-\u{180F}`,
  String.raw`\u{2000}-\u{200F}\u{2028}-\u{202F}\u{205F}-\u{206F}\u{2800}\u{3000}\u{3164}\u{E000}-\u{F8FF}`,
  String.raw`\u{FE00}-\u{FE0F}\u{FEFF}\u{FFA0}\u{FFF0}-\u{FFFB}\u{110BD}\u{110CD}\u{13430}-\u{1343F}`,
  String.raw`\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{E0000}-\u{E0FFF}\u{F0000}-\u{10FFFF}\p{Cs}`,
].join('');
const HIDDEN = new RegExp(`(?!\\n|\\t|\\r\\n)[${TABLE}]`, 'gu');

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
