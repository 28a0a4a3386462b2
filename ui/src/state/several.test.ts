import { expect, it } from 'vitest';
import type { Approval } from '../generated/Approval';
import type { Verdict } from '../generated/Verdict';
import { Several, type Outcome } from './several.svelte';

const DONE: Outcome = { fate: 'done', words: 'Approved.' };
const pending = ['a', 'b', 'c', 'd'].map((id) => ({ id }) as Approval);

function summary(of: string[], answering: (id: string, decision: Verdict, message: string) => Outcome | Promise<Outcome>) {
  const ends: [string, boolean][] = [];
  const several = new Several(
    async ({ id }, decision, message) => answering(id, decision, message),
    (words, trouble) => ends.push([words, trouble]),
  );
  several.pick(of);
  several.summarise(pending);
  return { several, ends };
}

it('answers what is picked, oldest first, one after another, and nothing else', async () => {
  const asked: string[] = [];
  const { several, ends } = summary(['c', 'a'], (id, decision, message) => (asked.push(`${id} ${decision} ${message}`), DONE));
  await Promise.all([several.answer('deny', 'no'), several.answer('approve', '')]);
  expect(asked).toEqual(['a deny no', 'c deny no']);
  expect(ends).toEqual([['2 requests denied.', false]]);
  expect(several.open).toEqual([]);
});

it('shows what it was opened with: picked later does not join, ended elsewhere is said and not asked', async () => {
  const asked: string[] = [];
  const { several } = summary(['a', 'b'], (id) => (asked.push(id), DONE));
  several.toggle('d');
  several.waits(new Set(['b', 'c', 'd']), 'Answered elsewhere: denied by dialog.');
  expect(several.outcomes.get('a')).toEqual({ fate: 'elsewhere', words: 'Answered elsewhere: denied by dialog.' });
  await several.answer('approve', '');
  expect(asked).toEqual(['b']);
  expect([...several.picked].sort()).toEqual(['b', 'd']);
});

it('sends no more once it is closed, and tries again what failed', async () => {
  const asked: string[] = [];
  const { several, ends } = summary(['a', 'b', 'c'], (id) => {
    asked.push(id);
    return id === 'b' ? (several.close(), { fate: 'left', words: 'Not answered.' }) : DONE;
  });
  await several.answer('approve', '');
  expect(asked).toEqual(['a', 'b']);
  expect(ends).toEqual([['1 request approved, 2 not answered, still waiting.', true]]);
  several.summarise(pending.slice(1));
  expect(several.open.map(({ id }) => id)).toEqual(['b', 'c']);
});

it('opens nothing where nothing is picked', () => {
  expect(summary([], () => DONE).several.shown).toBeUndefined();
});
