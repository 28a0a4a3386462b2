import { expect, it } from 'vitest';
import { diff } from './diff';

const show = (before: string, after: string): string => diff(before, after).map(({ sign, text }) => sign + text).join('|');

it('keeps what both have', () => {
  expect(show('a\nb\nc', 'a\nx\nc')).toBe(' a|-b|+x| c');
  expect(show('a\nb\nc\nd', 'b\nc\ne\nd')).toBe('-a| b| c|+e| d');
  expect(show('same', 'same')).toBe(' same');
});

it('loses nothing, however much there is', () => {
  const before = Array.from({ length: 2000 }, (_, n) => `a${n}`).join('\n');
  const after = Array.from({ length: 2000 }, (_, n) => `b${n}`).join('\n');
  const lines = diff(before, after);
  expect(lines.filter(({ sign }) => sign !== '+').map(({ text }) => text).join('\n')).toBe(before);
  expect(lines.filter(({ sign }) => sign !== '-').map(({ text }) => text).join('\n')).toBe(after);
});
