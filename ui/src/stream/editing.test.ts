import { expect, it } from 'vitest';
import { draftOf, edited, sides } from './editing';

const BASH = { command: 'rm -rf build', timeout: 120, description: 'Clean' };

it('gives a command as its text and the rest as JSON', () => {
  expect(draftOf(BASH)).toEqual({ command: 'rm -rf build', json: '{\n  "timeout": 120,\n  "description": "Clean"\n}' });
  expect(draftOf({ command: 'ls' })).toEqual({ command: 'ls', json: undefined });
  expect(draftOf({ url: 'x' }).command).toBeUndefined();
});

it('says that nothing changed while nothing did', () => {
  for (const args of [BASH, { command: 'ls' }, { url: 'x' }, ['a'], 'text', 7]) expect(edited(args, draftOf(args))).toEqual({ fault: undefined, value: args, changed: false });
});

it('keeps the order of the arguments', () => {
  const now = edited(BASH, { ...draftOf(BASH), command: 'rm -rf build/tmp' });
  expect(JSON.stringify(now.fault === undefined && now.value)).toBe('{"command":"rm -rf build/tmp","timeout":120,"description":"Clean"}');
  expect(now).toMatchObject({ changed: true });
});

it.each([
  [BASH, { command: 'ls', json: '{' }, /not JSON/],
  [BASH, { command: 'ls', json: '[]' }, /a list/],
  [BASH, { command: ' ', json: '{}' }, /empty/],
  [BASH, { command: 'ls', json: '{"command":"x"}' }, /stands above/],
  [{ url: 'x' }, { command: undefined, json: '"x"' }, /were an object, and this is text/],
])('refuses what the tool could not take: %j %j', (args, draft, fault) => {
  expect(edited(args, draft).fault).toMatch(fault);
});

it('shows both sides in the same layout', () => {
  expect(sides({ a: 1 }, { a: 2 })).toEqual({ before: '{\n  "a": 1\n}', after: '{\n  "a": 2\n}' });
});
