import { expect, it } from 'vitest';
import { families, lively } from './families';
import { SessionBook, sessionKey } from './sessions';
import { Script } from './testing';

const NOW = Date.parse('2026-01-17T10:31:00Z');

function hook(script: Script, kind: string, data: Record<string, unknown> = {}, session = 's1') {
  return { ...script.event(kind, data, { agent: 'claude-code', session }), origin: 'hook' as const };
}

function shown(book: SessionBook): string[] {
  return families(book.list(NOW)).map(({ head, activity, children }) => [`${head.session} ${activity}`, ...children.map((child) => `${child.role} ${child.activity}`)].join(' > '));
}

it('puts subagents beneath the session that started them, the busy ones first', () => {
  const s = new Script();
  const book = new SessionBook();
  const of = (agent: string, role: string) => ({ parent_session: 's1', agent_type: role, agent_id: agent });
  book.apply([
    hook(s, 'session_started', { cwd: '/srv/shop' }),
    hook(s, 'chat_message', { sender: 'user', content: 'go' }),
    hook(s, 'subagent_started', of('a', 'Explore'), 's1/a'),
    hook(s, 'subagent_started', of('b', 'Plan'), 's1/b'),
    hook(s, 'subagent_stopped', of('a', 'Explore'), 's1/a'),
  ]);
  expect(shown(book)).toEqual(['s1 working > Plan working > Explore gone']);
  expect(families(book.list(NOW)).flatMap(lively).map(({ role }) => role)).toEqual(['Plan']);
  book.waiting(new Map([[sessionKey('claude-code', 's1/b'), ['Bash']]]), NOW);
  expect(shown(book)).toEqual(['s1 needs_you > Plan needs_you > Explore gone']);
});

it('shows a subagent whose session is not known by itself, and a ring of parents as they are', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([hook(s, 'subagent_started', { parent_session: 'gone', agent_type: 'Explore' }, 'gone/a'), hook(s, 'subagent_started', { parent_session: 'y' }, 'x'), hook(s, 'subagent_started', { parent_session: 'x' }, 'y')]);
  expect(shown(book)).toHaveLength(3);
});

it('follows a turn from its prompt to its end, and not what is told late', () => {
  const s = new Script();
  const book = new SessionBook();
  const state = (): string => book.list(NOW).map(({ activity, task }) => `${activity} ${task ?? ''}`)[0]!;
  book.apply([hook(s, 'session_started', { cwd: '/srv/shop', source: 'startup' })]);
  expect(state()).toBe('idle ');
  book.apply([hook(s, 'chat_message', { sender: 'user', content: 'Fix\nit' }), hook(s, 'tool_call_start', { tool_name: 'Bash', call_id: 't' })]);
  expect(state()).toBe('working Bash');
  book.apply([hook(s, 'turn_completed', { content: 'Done.' })]);
  expect(state()).toMatch(/^idle/);
  book.apply([hook(s, 'chat_message', { sender: 'user', content: 'earlier', late: true })]);
  expect(state()).toMatch(/^idle/);
  book.apply([hook(s, 'turn_failed', { error: 'rate limit' })]);
  expect(state()).toBe('failed rate limit');
  book.apply([hook(s, 'session_ended', { reason: 'other' })]);
  expect(state()).toBe('gone ');
});

it('knows that a session of Codex cannot be stopped', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([{ ...s.event('session_started', {}, { agent: 'codex', session: 'c' }), origin: 'hook' }, hook(s, 'session_started')]);
  expect(book.list(NOW).map(({ agent, stops }) => [agent, stops])).toEqual([['claude-code', true], ['codex', false]]);
});
