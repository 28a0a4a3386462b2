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
