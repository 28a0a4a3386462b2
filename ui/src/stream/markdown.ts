// An agent's Markdown as plain values. `marked` finds the parts; nothing here makes HTML, follows a link or loads an image, and
// what is not known, raw HTML first of all, is the text that was written.
import { lexer, type Token, type Tokens } from 'marked';

export type Span =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'strong' | 'em' | 'del' | 'group'; readonly spans: readonly Span[] }
  | { readonly kind: 'link'; readonly spans: readonly Span[]; /** Empty where the words are the address. */ readonly to: string };

export interface Item {
  /** Of a list of things to do. */
  readonly done: boolean | undefined;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: 'heading'; readonly depth: number; readonly spans: readonly Span[] }
  | { readonly kind: 'text'; readonly spans: readonly Span[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly start: number; readonly items: readonly Item[] }
  | { readonly kind: 'table'; readonly head: readonly (readonly Span[])[]; readonly rows: readonly (readonly (readonly Span[])[])[] }
  | { readonly kind: 'rule' };

/** Longer texts, and deeper ones, are shown as they were written; so are runs of marks, over which reading takes long. */
const MOST = 60_000;
const RUN = /([*_~`>#\[\]()!<|\\-])\1{199}|(?:> ?){100}/;
const DEEPEST = 24;

class TooDeep extends Error {}

/** The parts of a text; nothing where it is shown as it was written. */
export function blocks(text: string): readonly Block[] | undefined {
  if (text.length > MOST || RUN.test(text)) return undefined;
  try {
    return blocksOf(lexer(text, { gfm: true, breaks: false }), 0);
  } catch {
    return undefined;
  }
}

const written = (token: Token): Block => ({ kind: 'text', spans: [{ kind: 'text', text: token.raw }] });

function blocksOf(tokens: readonly Token[], depth: number): Block[] {
  if (depth > DEEPEST) throw new TooDeep();
  return tokens.flatMap((token) => blockOf(token, depth) ?? []);
}

function blockOf(token: Token, depth: number): Block | undefined {
  switch (token.type) {
    case 'space':
      return undefined;
    case 'heading': {
      const heading = token as Tokens.Heading;
      return { kind: 'heading', depth: heading.depth, spans: spansOf(heading.tokens, depth) };
    }
    case 'paragraph':
    case 'text': {
      const { tokens, raw } = token as Tokens.Paragraph;
      return { kind: 'text', spans: tokens ? spansOf(tokens, depth) : [{ kind: 'text', text: raw }] };
    }
    case 'code': {
      const { text, lang } = token as Tokens.Code;
      return { kind: 'code', text: lang ? `${lang}:\n${text}` : text };
    }
    case 'blockquote':
      return { kind: 'quote', blocks: blocksOf((token as Tokens.Blockquote).tokens, depth + 1) };
    case 'list': {
      const list = token as Tokens.List;
      const items = list.items.map((item) => ({ done: item.task ? item.checked === true : undefined, blocks: blocksOf(item.tokens.filter(({ type }) => type !== 'checkbox'), depth + 1) }));
      return { kind: 'list', ordered: list.ordered, start: typeof list.start === 'number' ? list.start : 1, items };
    }
    case 'table': {
      const table = token as Tokens.Table;
      const cells = (row: Tokens.TableCell[]): Span[][] => row.map((cell) => spansOf(cell.tokens, depth));
      return { kind: 'table', head: cells(table.header), rows: table.rows.map(cells) };
    }
    case 'hr':
      return { kind: 'rule' };
    default:
      return written(token);
  }
}

function spansOf(tokens: readonly Token[], depth: number): Span[] {
  if (depth > DEEPEST) throw new TooDeep();
  return tokens.map((token) => spanOf(token, depth));
}

function spanOf(token: Token, depth: number): Span {
  switch (token.type) {
    case 'text':
    case 'escape': {
      const { tokens, text } = token as Tokens.Text;
      // Within a list an inline text may hold more.
      return tokens && tokens.length > 0 ? { kind: 'group', spans: spansOf(tokens, depth + 1) } : { kind: 'text', text };
    }
    case 'codespan':
      return { kind: 'code', text: (token as Tokens.Codespan).text };
    case 'br':
      return { kind: 'break' };
    case 'strong':
    case 'em':
    case 'del':
      return { kind: token.type, spans: spansOf((token as Tokens.Strong).tokens, depth + 1) };
    case 'link': {
      const { tokens, href, title, text } = token as Tokens.Link;
      const to = title ? `${href} "${title}"` : href;
      return { kind: 'link', spans: spansOf(tokens, depth + 1), to: text === to ? '' : to };
    }
    case 'image': {
      const { text, href } = token as Tokens.Image;
      return { kind: 'link', spans: [{ kind: 'text', text: `image: ${text}` }], to: href };
    }
    default:
      return { kind: 'text', text: token.raw };
  }
}
