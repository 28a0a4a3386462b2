import { expect, it } from 'vitest';
import { draftOf, edited, sides } from './editing';

const BASH = { command: 'rm -rf build', timeout: 120, description: 'Clean' };
const EDIT = { file_path: '/a.ts', old_string: 'x\ny', new_string: '', replace_all: false };

it('gives commands and file contents as their texts and the rest as JSON', () => {
  expect(draftOf(BASH)).toEqual({ texts: [{ name: 'command', text: 'rm -rf build' }], json: '{\n  "timeout": 120,\n  "description": "Clean"\n}' });
  expect(draftOf({ command: 'ls' })).toEqual({ texts: [{ name: 'command', text: 'ls' }], json: undefined });
  expect(draftOf(EDIT).texts.map(({ name }) => name)).toEqual(['file_path', 'old_string', 'new_string']);
  expect(draftOf({ depth: 3 })).toEqual({ texts: [], json: '{\n  "depth": 3\n}' });
});

it('leaves a text to JSON that a field of the page would change', () => {
  expect(draftOf({ command: 'a\r\nb' })).toEqual({ texts: [], json: '{\n  "command": "a\\r\\nb"\n}' });
});

it('says that nothing changed while nothing did', () => {
  for (const args of [BASH, EDIT, { command: 'ls' }, { depth: 3 }, ['a'], 'text', 7]) expect(edited(args, draftOf(args))).toEqual({ fault: undefined, value: args, changed: false });
});

it('keeps the order of the arguments', () => {
  const now = edited(BASH, { ...draftOf(BASH), texts: [{ name: 'command', text: 'rm -rf build/tmp' }] });
  expect(JSON.stringify(now.fault === undefined && now.value)).toBe('{"command":"rm -rf build/tmp","timeout":120,"description":"Clean"}');
  expect(now).toMatchObject({ changed: true });
});

const command = (text: string): { name: string; text: string }[] => [{ name: 'command', text }];

it.each([
  [BASH, { texts: command('ls'), json: '{' }, /not JSON/],
  [BASH, { texts: command('ls'), json: '[]' }, /a list/],
  [BASH, { texts: command(' '), json: '{}' }, /empty/],
  [BASH, { texts: command('ls'), json: '{"command":"x"}' }, /stands above/],
  [{ depth: 3 }, { texts: [], json: '"x"' }, /were an object, and this is text/],
])('refuses what the tool could not take: %j %j', (args, draft, fault) => {
  expect(edited(args, draft).fault).toMatch(fault);
});

it('shows all of both sides, part by part', () => {
  expect(sides({ a: 1 }, { a: 2 })).toEqual([{ name: '', before: '{\n  "a": 1\n}', after: '{\n  "a": 2\n}' }]);
  expect(sides({ command: 'ls' }, { command: 'ls -l', timeout: 1 })).toEqual([
    { name: 'command', before: 'ls', after: 'ls -l' },
    { name: '', before: '', after: '{\n  "timeout": 1\n}' },
  ]);
});
