import { expect, it } from 'vitest';
import { blocks, type Block, type Span } from './markdown';

/** All that a reader sees. */
function said(list: readonly (Block | Span)[]): string {
  return list
    .map((part): string => {
      if ('text' in part) return part.text;
      if ('to' in part) return `${said(part.spans)} ${part.to}`;
      if ('spans' in part) return said(part.spans);
      if ('blocks' in part) return said(part.blocks);
      if ('items' in part) return part.items.map((item) => said(item.blocks)).join('\n');
      if ('rows' in part) return [part.head, ...part.rows].flat().map(said).join('|');
      return '';
    })
    .join('\n');
}

it('reads what plans are made of', () => {
  const read = blocks('# Plan\n\n1. **Move** `a.ts`\n2. Run\n\n- [x] done\n- [ ] not yet\n\n```ts\nlet a = 1;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> note\n\n---\n');
  expect(read?.map(({ kind }) => kind)).toEqual(['heading', 'list', 'list', 'code', 'table', 'quote', 'rule']);
  expect(read?.[1]).toMatchObject({ ordered: true, start: 1 });
  expect(read?.[2]).toMatchObject({ items: [{ done: true }, { done: false }] });
  expect(said(read ?? [])).toContain('let a = 1;');
});

it.each(['<script>alert(1)</script>', '<img src=x onerror=alert(1)>', 'a <b>bold</b> c', '<!-- hidden -->', '[x]: http://example.com "t"'])('shows %s as it was written', (text) => {
  expect(said(blocks(text) ?? []).replaceAll('\n', '')).toContain(text.replace(/^a |\sc$/g, '').split('>')[0]);
});

it('names the address of a link and of an image, whatever it is', () => {
  expect(said(blocks('[here](javascript:alert(1))') ?? [])).toContain('javascript:alert(1)');
  expect(said(blocks('![a picture](http://example.com/track.png)') ?? [])).toMatch(/image: a picture\s+http:\/\/example.com\/track.png/);
});

it('does not undo what was written as text', () => {
  expect(said(blocks('1 &lt; 2 & `a &amp; b`') ?? [])).toContain('&amp;');
});

it('shows what is too long or too deep as it was written', () => {
  expect(blocks('a'.repeat(60_001))).toBeUndefined();
  expect(blocks('>'.repeat(5_000))).toBeUndefined();
  expect(blocks(`${'*'.repeat(20_000)}a`)).toBeUndefined();
  expect(blocks(`${'- '.repeat(60)}a`)).toBeUndefined();
});
