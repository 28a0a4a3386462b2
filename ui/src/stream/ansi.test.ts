import { expect, it } from 'vitest';
import { spans } from './ansi';
import { visible } from './visible';

const E = '\u001B[';
/** Spans as `look|text`, marked characters as they are spelled. */
const check = (input: string, ...expected: string[]) => expect(spans(input).map(({ text, mark, look }) => (mark ? text : `${look}|${text}`))).toEqual(expected);

it('reads the 16 colours, bold, dim, italic, underline, strike, and their ends', () => {
  check(`a${E}31mred${E}0m b`, '|a', 'ansi-f1|red', '| b');
  check(`${E}1;92mok${E}22m.${E}39m.`, 'ansi-f10 ansi-bold|ok', 'ansi-f10|.', '|.');
  check(`${E}2mdim${E}m ${E}3;4;9mall${E}23;24;29m.`, 'ansi-dim|dim', '| ', 'ansi-italic ansi-underline ansi-strike|all', '|.');
  check(`${E}4:3mcurly${E}4:0mnot`, 'ansi-underline|curly', '|not');
});

it('reads 256 and true colours in both spellings; true colours become the nearest', () => {
  check(`${E}38;5;208mx`, 'ansi-f208|x');
  check(`${E}38:5:208mx`, 'ansi-f208|x');
  check(`${E}38;2;255;0;0mx`, 'ansi-f196|x');
  check(`${E}38:2::255:0:0mx${E}38:2:0:0:255my`, 'ansi-f196|x', 'ansi-f21|y');
  check(`${E}1;38;5;208;4mx`, 'ansi-f208 ansi-bold ansi-underline|x');
});

it('never lets text vanish in its ground', () => {
  check(`${E}37;47mhidden`, 'ansi-b7 ansi-black|hidden');
  check(`${E}30;40mhidden`, 'ansi-b0 ansi-white|hidden');
  check(`${E}97;44mclear`, 'ansi-b4 ansi-g15|clear');
  check(`${E}41mred${E}7mturned${E}31mboth`, 'ansi-b1 ansi-white|red', 'ansi-inverse|turned', 'ansi-b1 ansi-white|both');
  check(`${E}7mplain${E}27m.`, 'ansi-inverse|plain', '|.');
});

it('leaves what it does not know, or what would hide, in sight', () => {
  check(`a${E}8mgone${E}28m`, '|a', '⟨U+001B⟩', '|[8mgone');
  for (const sequence of ['2J', '1A', '10;10H', '?25l', '31', '99m', '31;8m', '5m', '38m', '38;5m', '38;5;256m', '38;2;1;2m', '38;7;1m', '58;5;1m', '38:5m', '38:2:1:2m', '4:9m', '>4m', ' m', '-1m', '1e1m']) {
    check(`${E}${sequence}x`, '⟨U+001B⟩', `|[${sequence}x`);
  }
  check('\u001B]8;;http://a\u0007link\u001B]8;;\u0007', '⟨U+001B⟩', '|]8;;http://a', '⟨U+0007⟩', '|link', '⟨U+001B⟩', '|]8;;', '⟨U+0007⟩');
  check('\u009B31mx', '⟨U+009B⟩', '|31mx');
  check(`${E}31m\u202Ered`, '⟨U+202E⟩', 'ansi-f1|red');
  check(`${E}31${E}32mx`, '⟨U+001B⟩', '|[31', 'ansi-f2|x');
  check(`${E}\u001B[32mx`, '⟨U+001B⟩', '|[', 'ansi-f2|x');
});

it('takes huge parameters for what they are', () => {
  const wide = '9'.repeat(60);
  check(`${E}${wide}mx`, '⟨U+001B⟩', `|[${wide}mx`);
  const long = '1;'.repeat(5000);
  check(`${E}${long}mx`, '⟨U+001B⟩', `|[${long}mx`);
  check(`${E}constructorm`, '⟨U+001B⟩', '|[constructorm');
});

it('is text whatever it says', () => {
  check(`${E}31m<img src=x onerror=alert(1)>${E}0m`, 'ansi-f1|<img src=x onerror=alert(1)>');
  check('', ...[]);
});

it('stays cheap: many changes, unended sequences, many hidden characters', () => {
  const many = spans(Array.from({ length: 40_000 }, (_, n) => `${E}${31 + (n % 6)}mx`).join(''));
  expect(many.length).toBeLessThan(4100);
  expect(many.at(-1)?.text).toContain('⟨U+001B⟩[31mx');
  expect(spans(`${E}31mx${E}32m`.repeat(10) + 'a\u200B'.repeat(100_000)).length).toBeLessThan(100);
  expect(spans(`${E}31m`.repeat(40_000) + 'x')).toHaveLength(1);
  // Quadratic work would take minutes here.
  expect(spans(`${E}${'1;'.repeat(30)}`.repeat(20_000))).toHaveLength(1);
  expect(spans(E.repeat(500_000))).toHaveLength(1);
}, 60_000);

it('leaves plain text as the plain view does', () => {
  const text = 'if a:\n\tprint("héllo 🎉")\r\nsafe\rrm \u202E';
  expect(spans(text).map((span) => span.text).join('')).toBe(visible(text));
});
