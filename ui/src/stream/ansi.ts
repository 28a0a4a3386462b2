// Reads colour and style (SGR, ECMA-48 8.3.117) out of what a tool printed, into spans of plain text. All other control
// sequences, and those of colour with a part that is not known or would hide text, stay in the text and are made visible.
import { AA, contrast, inkOn, nearest, rgb, type Rgb } from './palette';
import { segments, visible, type Segment } from './visible';

export interface Span extends Segment {
  /** Classes of `styles/ansi.css`, or none. */
  readonly look: string;
}

/** More spans than this are not coloured: a rest that long is shown as the text that it is, control sequences and all. */
const MOST_SPANS = 4000;

/** Parameters past this length are none that any program means. */
const SGR = /\u001B\[([\d;:]{0,64})m/g;

interface Style {
  readonly fore?: number | undefined;
  readonly back?: number | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly strike?: boolean;
  readonly inverse?: boolean;
}

const PLAIN: Style = {};

/** Blinking (5, 6) and concealing (8) are not among them: their end is. */
const SIMPLE: Readonly<Record<number, Style>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  25: {},
  27: { inverse: false },
  28: {},
  29: { strike: false },
  39: { fore: undefined },
  49: { back: undefined },
};

const byte = (value: number | undefined): value is number => value !== undefined && value >= 0 && value <= 255;

/** `5;N` or `2;R;G;B` after a 38 or 48: the colour and how many numbers it took. */
function extended(rest: readonly number[]): { colour: number; took: number } | undefined {
  const [kind, a, b, c] = rest;
  if (kind === 5 && byte(a)) return { colour: a, took: 2 };
  if (kind === 2 && byte(a) && byte(b) && byte(c)) return { colour: nearest([a, b, c] as Rgb), took: 4 };
  return undefined;
}

/** `38:5:N`, `38:2::R:G:B`, `38:2:R:G:B` (ISO 8613-6) and `4:N`, in one parameter. */
function parted(parameter: string): Style | undefined {
  const [code, kind, ...rest] = parameter.split(':');
  if (code === '4' && rest.length === 0 && /^[0-5]$/.test(kind ?? '')) return { underline: kind !== '0' };
  if (code !== '38' && code !== '48') return undefined;
  const numbers = kind === '2' && rest.length > 3 && rest[0] === '' ? rest.slice(1) : rest;
  if (numbers.some((number) => number === '')) return undefined;
  const found = extended([Number(kind), ...numbers.map(Number)]);
  if (!found) return undefined;
  return code === '38' ? { fore: found.colour } : { back: found.colour };
}

/** The style after these parameters; undefined where one of them is not known. */
function follow(style: Style, parameters: string): Style | undefined {
  const all = parameters.split(';');
  let now = style;
  for (let n = 0; n < all.length; n++) {
    const parameter = all[n]!;
    if (parameter.includes(':')) {
      const change = parted(parameter);
      if (!change) return undefined;
      now = { ...now, ...change };
      continue;
    }
    const code = parameter === '' ? 0 : Number(parameter);
    if (code === 0) now = PLAIN;
    else if (Object.hasOwn(SIMPLE, code)) now = { ...now, ...SIMPLE[code] };
    else if (code >= 30 && code <= 37) now = { ...now, fore: code - 30 };
    else if (code >= 40 && code <= 47) now = { ...now, back: code - 40 };
    else if (code >= 90 && code <= 97) now = { ...now, fore: code - 82 };
    else if (code >= 100 && code <= 107) now = { ...now, back: code - 92 };
    else if (code === 38 || code === 48) {
      const found = extended(all.slice(n + 1, n + 5).map((number) => (/^\d+$/.test(number) ? Number(number) : -1)));
      if (!found) return undefined;
      now = code === 38 ? { ...now, fore: found.colour } : { ...now, back: found.colour };
      n += found.took;
    } else return undefined;
  }
  return now;
}

/** The colours of a style as classes that can be read, whatever was asked for. */
function colours({ fore, back, inverse, dim }: Style): string[] {
  const [text, ground] = inverse ? [back, fore] : [fore, back];
  if (ground !== undefined) {
    const clear = text !== undefined && contrast(rgb(text), rgb(ground)) >= AA;
    return [`ansi-b${ground}`, clear ? `ansi-g${text}` : `ansi-${inkOn(ground)}`, ...(dim ? ['ansi-thin'] : [])];
  }
  // The colour of its text would lie on a ground that changes with the theme.
  if (inverse) return ['ansi-inverse'];
  if (text !== undefined) return [`ansi-f${text}`, ...(dim ? ['ansi-thin'] : [])];
  return dim ? ['ansi-dim'] : [];
}

function lookOf(style: Style): string {
  const { bold, italic, underline, strike } = style;
  return [...colours(style), bold && 'ansi-bold', italic && 'ansi-italic', underline && 'ansi-underline', strike && 'ansi-strike'].filter(Boolean).join(' ');
}

/** The text in spans, in order. Never HTML, nothing left out but the sequences that the spans show. */
export function spans(text: string): Span[] {
  const found: Span[] = [];
  let style = PLAIN;
  let look = '';
  let at = 0;
  let pending = '';
  const put = (): void => {
    for (const { text: part, mark } of segments(pending)) found.push({ text: part, mark, look });
    pending = '';
  };
  for (const match of text.matchAll(SGR)) {
    const next = follow(style, match[1]!);
    pending += text.slice(at, next ? match.index : match.index + match[0].length);
    at = match.index + match[0].length;
    if (!next) continue;
    style = next;
    const fresh = lookOf(next);
    if (fresh === look) continue;
    put();
    look = fresh;
    if (found.length > MOST_SPANS) return [...found, { text: visible(text.slice(at)), mark: false, look: '' }];
  }
  pending += text.slice(at);
  put();
  return found;
}
