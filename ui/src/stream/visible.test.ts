import { expect, it } from 'vitest';
import shared from '../../../crates/model/src/visible.json';
import { oneLine, segments, visible } from './visible';

const line = (text: string): string =>
  segments(text, true)
    .map((segment) => segment.text)
    .join('');
const spelled = (code: number): string => `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;

it('hides and shows every character as the shared table says', () => {
  const ranges = shared.hidden.map((range) => range.map((code) => Number.parseInt(code, 16)) as [number, number]);
  for (let start = 0; start <= 0x10ffff; start += 0x1000) {
    let text = '';
    let expected = '';
    for (let code = start; code < start + 0x1000; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      text += character;
      expected += ranges.some(([first, last]) => code >= first && code <= last) ? spelled(code) : character;
    }
    // Not `toBe`: a difference of thousands of characters is told by where it starts.
    if (line(text) !== expected) expect.fail(`differs from U+${start.toString(16)} on`);
  }
});

it('shows text as the shared cases say', () => {
  for (const [text, expected] of shared.block) expect(visible(text ?? '')).toBe(expected);
  for (const [text, expected] of shared.line) expect(line(text ?? '')).toBe(expected);
});

it('spells out half a surrogate pair', () => {
  expect(visible('lone \uD800!')).toBe('lone ⟨U+D800⟩!');
});

it('tells a hidden character from its spelling typed out', () => {
  expect(segments('⟨U+202E⟩\u202E')).toEqual([
    { text: '⟨U+202E⟩', mark: false },
    { text: '⟨U+202E⟩', mark: true },
  ]);
});

it('stays cheap with many of them', () => {
  expect(segments('a\u200B'.repeat(5000))).toHaveLength(1);
});

it('makes one line of many, cut at a whole character', () => {
  expect(oneLine('  a\n\n  b\tc ')).toBe('a ↵ b c');
  expect(oneLine('🎉'.repeat(10), 3)).toBe('🎉…');
});

it('spells out line feeds, too, where they would look like a blank', () => {
  expect(segments('/home/me\n/etc\r\n\t', true)).toEqual([
    { text: '/home/me', mark: false },
    { text: '⟨U+000A⟩', mark: true },
    { text: '/etc', mark: false },
    { text: '⟨U+000D⟩⟨U+000A⟩⟨U+0009⟩', mark: true },
  ]);
  expect(segments('a\nb')).toEqual([{ text: 'a\nb', mark: false }]);
});
