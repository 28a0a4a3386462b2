import { expect, it } from 'vitest';
import { oneLine, segments, visible } from './visible';

it('spells out what would not be seen', () => {
  expect(visible('rm \u202Etxt.exe')).toBe('rm ⟨U+202E⟩txt.exe');
  expect(visible('a\u200Bb\u00ADc\uFEFFd\u0000\u001B[31m')).toBe('a⟨U+200B⟩b⟨U+00AD⟩c⟨U+FEFF⟩d⟨U+0000⟩⟨U+001B⟩[31m');
  expect(visible('tag\u{E0041} \u2800\u3164 nbsp\u00A0')).toBe('tag⟨U+E0041⟩ ⟨U+2800⟩⟨U+3164⟩ nbsp⟨U+00A0⟩');
  expect(visible('lone \uD800!')).toBe('lone ⟨U+D800⟩!');
});

it('keeps text, lines and tabs, and marks a carriage return that would overwrite a line', () => {
  const plain = 'if a:\n\tprint("héllo 🎉 日本")\r\nend';
  expect(visible(plain)).toBe(plain);
  expect(visible('safe\rrm')).toBe('safe⟨U+000D⟩rm');
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
