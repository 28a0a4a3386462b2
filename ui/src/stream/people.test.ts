import { expect, it } from 'vitest';
import { People } from './people';
import { Script } from './testing';

it('lists who is there, the reachable first, and forgets who went', () => {
  const s = new Script(10);
  const people = new People();
  const here = () => people.list().map(({ user, status }) => `${user} ${status}`);
  expect(people.apply([s.event('user_presence', { userId: 'grace', status: 'away' }), s.event('user_presence', { userId: 'ada', status: 'online' })])).toBe(true);
  expect(here()).toEqual(['ada online', 'grace away']);
  people.apply([s.event('user_presence', { userId: 'ada', status: 'offline' })]);
  expect(here()).toEqual(['grace away']);
});

it('lets the newest word count whatever order pages come in, and takes nothing that says nothing', () => {
  const people = new People();
  const newer = new Script(50).event('user_presence', { userId: 'ada', status: 'busy' });
  const older = new Script(5).event('user_presence', { userId: 'ada', status: 'online' });
  people.apply([newer]);
  expect(people.apply([older])).toBe(false);
  const s = new Script(60);
  expect(people.apply([s.event('user_presence', { userId: 7, status: 'online' }), s.event('user_presence', { userId: 'x' }), s.event('note', { userId: 'x', status: 'online' })])).toBe(false);
  expect(people.list().map(({ status }) => status)).toEqual(['busy']);
});

it("starts from the hub's word, which older events do not change and newer ones do", () => {
  const people = new People();
  const s = new Script(10);
  const early = s.event('user_presence', { userId: 'linus', status: 'online' });
  const late = new Script(30).event('user_presence', { userId: 'grace', status: 'away' });
  people.apply([early, late]);
  const ada = { user: 'ada', status: 'online', since: '2026-01-17T10:30:00.000Z', seq: 3 };
  people.correct({ at: 20, people: [ada, { user: 'grace', status: 'online', since: ada.since, seq: 15 }] });
  expect(people.list().map(({ user, status }) => `${user} ${status}`)).toEqual(['ada online', 'grace away']);
  expect(people.apply([early])).toBe(false);
  people.correct({ at: 31, people: [] });
  expect(people.list()).toEqual([]);
});
