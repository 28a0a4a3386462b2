import { expect, it } from 'vitest';
import { changeOf } from './change';
import { gist } from './call';

it('reads an edit, whatever its fields are called', () => {
  for (const [old, fresh] of [['old_string', 'new_string'], ['old_str', 'new_str'], ['old_text', 'new_text']] as const) {
    expect(changeOf({ path: 'a', [old]: 'x', [fresh]: 'y' })).toEqual({ edits: [{ before: 'x', after: 'y', everywhere: false }], fresh: false, rest: { path: 'a' } });
  }
});

it('says that an edit is made wherever its text occurs', () => {
  expect(changeOf({ file_path: 'a', old_string: 'x', new_string: 'y', replace_all: true })).toMatchObject({ edits: [{ everywhere: true }], rest: { file_path: 'a' } });
  expect(changeOf({ file_path: 'a', old_string: 'x', new_string: 'y', replace_all: 'perhaps' })?.rest).toEqual({ file_path: 'a', replace_all: 'perhaps' });
});

it('reads several edits of a file in their order', () => {
  const edits = [{ old_string: 'a', new_string: 'b' }, { old_string: 'c', new_string: 'd', replace_all: true }];
  expect(changeOf({ file_path: 'f', edits })).toMatchObject({ edits: [{ before: 'a' }, { before: 'c', everywhere: true }], rest: { file_path: 'f' } });
  expect(changeOf({ file_path: 'f', edits: [...edits, { old_string: 'a', new_string: 'b', more: 1 }] })).toBeUndefined();
});

it('reads a file that is written whole', () => {
  expect(changeOf({ file_path: 'f', content: 'x\ny' })).toEqual({ edits: [{ before: '', after: 'x\ny', everywhere: false }], fresh: true, rest: { file_path: 'f' } });
  expect(changeOf({ path: 'f', content: 'x' }, 'write_file')).toMatchObject({ fresh: true });
  expect(changeOf({ path: '/api', content: 'x' }, 'http_post')).toBeUndefined();
});

it('says in a line how much is changed', () => {
  expect(gist({ file_path: 'f', old_string: 'a\nb', new_string: 'a\nc\nd' })).toBe('f  +2 -1');
  expect(gist({ file_path: 'f', content: 'a\nb' })).toBe('f  +2');
  expect(gist({ file_path: 'f', old_string: '', new_string: 'a' })).toBe('f  +1');
});
