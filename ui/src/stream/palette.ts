// The 256 colours of terminals, and which of them can be read where. Makes `styles/ansi.css`; knows nothing of control sequences.

export type Rgb = readonly [red: number, green: number, blue: number];

const FIRST: readonly Rgb[] = [
  [0, 0, 0], [205, 49, 49], [13, 135, 92], [153, 118, 0], [36, 114, 200], [188, 63, 188], [17, 134, 165], [204, 204, 204],
  [102, 102, 102], [241, 76, 76], [35, 209, 139], [229, 229, 16], [59, 142, 234], [214, 112, 214], [41, 184, 219], [255, 255, 255],
];
const LEVELS = [0, 95, 135, 175, 215, 255];
/** 8, 18, ... 238. */
const GREYS = 24;

/** What WCAG 2 asks of text at level AA. */
export const AA = 4.5;

export function rgb(colour: number): Rgb {
  const known = FIRST[colour];
  if (known) return known;
  if (colour >= 232) return [8 + (colour - 232) * 10, 8 + (colour - 232) * 10, 8 + (colour - 232) * 10];
  const at = colour - 16;
  return [LEVELS[Math.floor(at / 36)]!, LEVELS[Math.floor(at / 6) % 6]!, LEVELS[at % 6]!];
}

function distance(a: Rgb, b: Rgb): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}

/** The nearest of the cube and the greys; the first 16 differ from terminal to terminal. */
export function nearest(wanted: Rgb): number {
  const step = (value: number): number => LEVELS.reduce((best, level, n) => (Math.abs(level - value) < Math.abs(LEVELS[best]! - value) ? n : best), 0);
  const cube = 16 + step(wanted[0]) * 36 + step(wanted[1]) * 6 + step(wanted[2]);
  const mean = (wanted[0] + wanted[1] + wanted[2]) / 3;
  const grey = 232 + Math.max(0, Math.min(GREYS - 1, Math.round((mean - 8) / 10)));
  return distance(rgb(grey), wanted) < distance(rgb(cube), wanted) ? grey : cube;
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => (value <= 10.31475 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1 to 21, WCAG 2.2. */
export function contrast(a: Rgb, b: Rgb): number {
  const [one, other] = [luminance(a) + 0.05, luminance(b) + 0.05];
  return one > other ? one / other : other / one;
}

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];

/** Which of black and white is read better on a ground; either gives AA or better. */
export function inkOn(ground: number): 'black' | 'white' {
  return contrast(rgb(ground), BLACK) >= contrast(rgb(ground), WHITE) ? 'black' : 'white';
}

/** As near to the colour as can be read on all of the grounds: moved towards white where they are dark, else towards black. */
export function readable(colour: Rgb, grounds: readonly Rgb[]): Rgb {
  const towards = luminance(grounds[0] ?? WHITE) < 0.18 ? WHITE : BLACK;
  for (let part = 0; part < 1; part += 0.02) {
    const mixed = colour.map((value, n) => Math.round(value + (towards[n]! - value) * part)) as unknown as Rgb;
    if (grounds.every((ground) => contrast(mixed, ground) >= AA)) return mixed;
  }
  return towards;
}

export const hex = (colour: Rgb): string => `#${colour.map((value) => value.toString(16).padStart(2, '0')).join('')}`;

/** `#rrggbb` back. */
export function fromHex(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** The grounds that results lie on: `--code` and `--bad-ground` of `styles/tokens.css`. */
export interface Grounds {
  readonly light: readonly Rgb[];
  readonly dark: readonly Rgb[];
}

function lines(one: (colour: number) => string): string {
  const rows: string[] = [];
  for (let at = 0; at < 256; at += 8) rows.push(`  ${Array.from({ length: 8 }, (_, n) => one(at + n)).join(' ')}`);
  return rows.join('\n');
}

/** The style sheet: the palette as it is for grounds (`b`) and for text on them (`g`), and as text on the page in each theme (`f`). */
export function sheet(grounds: Grounds): string {
  return `/* Terminal colours, made by \`stream/palette.ts\`: \`npx vitest run palette -u\` writes it anew. Text keeps WCAG AA in both themes. */
:root {
${lines((n) => `--ansi-${n}: ${hex(rgb(n))};`)}
${lines((n) => `--ansi-text-${n}: ${hex(readable(rgb(n), grounds.light))};`)}
}

:root[data-theme='dark'] {
${lines((n) => `--ansi-text-${n}: ${hex(readable(rgb(n), grounds.dark))};`)}
}

${lines((n) => `.ansi-f${n} { color: var(--ansi-text-${n}); }`).replaceAll(/^ {2}/gm, '')}
${lines((n) => `.ansi-g${n} { color: var(--ansi-${n}); }`).replaceAll(/^ {2}/gm, '')}
${lines((n) => `.ansi-b${n} { background: var(--ansi-${n}); }`).replaceAll(/^ {2}/gm, '')}

.ansi-black { color: #000000; }
.ansi-white { color: #ffffff; }
.ansi-bold { font-weight: 700; }
.ansi-dim { color: var(--ink-3); }
.ansi-thin { font-weight: 300; }
.ansi-italic { font-style: italic; }
.ansi-underline { text-decoration: underline; }
.ansi-strike { text-decoration: line-through; }
.ansi-underline.ansi-strike { text-decoration: underline line-through; }
.ansi-inverse { background: var(--ink); color: var(--code); }
`;
}
