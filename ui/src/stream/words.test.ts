import { expect, it } from 'vitest';
import { gist, parts } from './call';
import { age, bytes, countdown, count, duration } from './words';

it('durations, ages and sizes', () => {
  expect([8, 520, 9996, 12_340, 59_960, 125_000, 11_520_000].map(duration)).toEqual(['8 ms', '0.52 s', '10.0 s', '12.3 s', '1 min 00 s', '2 min 05 s', '3 h 12 min']);
  expect([0, 12_999, 300_000, 7_200_000].map(age)).toEqual(['now', '12 s', '5 min', '2 h']);
  expect([125_000, 3_725_000].map(countdown)).toEqual(['2:05', '1:02:05']);
  expect([812, 12_000, 1_200_000_000].map(bytes)).toEqual(['812 B', '12 kB', '1.2 GB']);
  expect([7, 1234567].map(count)).toEqual(['7', '1,234,567']);
});

it('a command first, nothing left out', () => {
  expect(gist({ timeout: 5, command: 'rm -rf build' })).toBe('rm -rf build  timeout=5');
  expect(gist({ depth: 2 })).toBe('depth=2');
  expect(parts({ timeout: 5, command: 'ls' }).map((p) => [p.name, p.block])).toEqual([
    ['command', true],
    ['timeout', false],
  ]);
  expect(gist({ path: 'p', old_string: 'a\nb', new_string: 'a\nc\nd' })).toBe('p  +2 -1');
  expect(parts(['a']).length + parts('x').length + parts(null).length).toBe(2);
});
