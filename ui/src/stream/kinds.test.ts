import { expect, it } from 'vitest';
import { groupOf, kindName } from './kinds';
import { eventLine } from './summary';
import { Script } from './testing';
import { Timeline } from './timeline';

it('groups every dialect, and keeps unknown kinds under their own name', () => {
  expect(['execution_failed', 'goal_progress', 'chat_message', 'user_presence', 'usage', 'rule_created', 'system2_odd', 'temperature'].map(groupOf)).toEqual(['runs', 'runs', 'messages', 'messages', 'activity', 'hub', 'judgements', 'other']);
  expect([kindName('execution_paused'), kindName('my_own_kind')]).toEqual(['run paused', 'my own kind']);
});

it('says in one line what an event of any dialect says', () => {
  const s = new Script();
  const line = (kind: string, data: Record<string, unknown>) => eventLine(s.event(kind, data));
  expect(line('agent_status', { agentName: 'W', state: 'working', currentTask: 'Draft', progress: 45 })).toBe('working · Draft · 45%');
  expect(line('agent_status', { status: 'processing', details: { iteration: 3 } })).toBe('processing · iteration 3');
  expect(line('goal_progress', { goal_id: 'q', progress: 0.625 })).toBe('63% · goal id q');
  expect(line('execution_failed', { error: { message: 'no price' } })).toBe('no price');
  expect(line('chat_message', { sender: 'ada', content: 'Hello', conversationId: 'c' })).toBe('Hello');
  expect(line('notification', { level: 'error', message: 'Disk full' })).toBe('Disk full');
  expect(line('user_presence', { userId: 'ada', status: 'away' })).toBe('ada · away');
  expect(line('usage', { model: 'm', input_tokens: 1204, output_tokens: 310, cost: 0.0042 })).toBe('m · 1,204 in · 310 out · $0.0042');
  expect(line('constraint_violation', { constraint: 'discount <= 0.2', value: 0.31 })).toBe('discount <= 0.2 · value 0.31');
  expect(line('temperature', { celsius: 21.4 })).toBe('celsius 21.4');
  for (const kind of ['agent_status', 'goal_progress', 'execution_failed', 'execution_paused', 'chat_message', 'notification', 'user_presence', 'usage', 'constraint_violation']) {
    for (const data of [{}, { error: 5, reason: [1], content: {}, progress: 'x', status: {}, model: 3, constraint: null }]) expect(typeof line(kind, data as Record<string, unknown>)).toBe('string');
  }
});

it('marks the row of a run that waits for a person until the run goes on, over pages too', () => {
  const s = new Script();
  const timeline = new Timeline();
  const paused = s.event('execution_paused', { reason: 'human approval' });
  timeline.apply([paused, s.event('execution_resumed', {}, { session: 'other' })]);
  expect(timeline.rows[0]?.waits).toBe(true);
  const changed = timeline.apply([s.event('execution_resumed')]);
  expect([timeline.rows[0]?.waits, changed.size]).toEqual([false, 2]);

  const newer = new Timeline();
  newer.apply([new Script(9).event('execution_resumed')]);
  newer.prepend([paused]);
  expect(newer.rows[0]?.waits).toBe(false);
});
