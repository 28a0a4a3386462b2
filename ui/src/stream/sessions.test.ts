import { expect, it } from 'vitest';
import type { SessionView } from '../generated/SessionView';
import { SessionBook, sessionKey } from './sessions';
import { Script } from './testing';

function activity(book: SessionBook): string[] {
  return book.list(Date.parse('2026-01-17T10:31:00Z')).map((s) => `${s.agent}/${s.session} ${s.activity}`);
}

it('works while a call runs, fails when it failed, and is idle after the next good one', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([s.start('run')]);
  expect(activity(book)).toEqual(['sam/s1 working']);
  book.apply([s.end('run', { success: false, error: 'no' }), s.result('run', 'trace')]);
  expect(activity(book)).toEqual(['sam/s1 failed']);
  book.apply([s.start('run'), s.end('run')]);
  expect(activity(book)).toEqual(['sam/s1 idle']);
});

it('is stopped until the stop is lifted, and gone when its connection ended', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([s.event('agent_connected'), s.event('session_stopped', { by: 'window' }), s.start('run')]);
  expect(activity(book)).toEqual(['sam/s1 stopped']);
  book.apply([s.end('run'), s.event('session_resumed'), s.event('agent_disconnected')]);
  expect(activity(book)).toEqual(['sam/s1 gone']);
});

it('needs you while an approval waits', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([s.start('run'), s.ask('run', 'r')]);
  book.waiting(new Map([[sessionKey('sam', 's1'), 1]]), Date.now());
  book.apply([s.event('agent_status', { status: 'processing' })]);
  expect(activity(book)).toEqual(['sam/s1 needs_you']);
  book.waiting(new Map(), Date.now());
  expect(activity(book)).toEqual(['sam/s1 working']);
});

it("takes the hub's account, but not over what it has seen since", () => {
  const s = new Script();
  const book = new SessionBook();
  const view: SessionView = { agent: 'sam', session: 's1', activity: 'failed', since: '2026-01-17T10:29:00Z', pending: 0, stopped: false, connections: 1, events: 9, last: '2026-01-17T10:29:00Z' };
  book.correct([view]);
  expect(activity(book)).toEqual(['sam/s1 failed']);
  book.apply([s.start('run')]);
  book.correct([view]);
  expect(activity(book)).toEqual(['sam/s1 working']);
});
