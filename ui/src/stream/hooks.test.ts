import { expect, it } from 'vitest';
import type { EventRow } from '../generated/EventRow';
import { marksOf, nameOf, outcomeWord, viewOf } from '../features/timeline/rowView';
import { hooked } from '../platform/mock/hooked';
import { failureLine, summary, turnUsage } from './summary';
import { Script } from './testing';
import { Timeline } from './timeline';

function rows(events: readonly EventRow[]): string[] {
  const timeline = new Timeline();
  timeline.apply(events);
  return timeline.rows.map((row) => [nameOf(row), summary(row).slice(0, 60), failureLine(row), outcomeWord(row), ...marksOf(row), turnUsage(row)].filter((part) => part !== '').join(' | '));
}

function hook(script: Script, kind: string, data: Record<string, unknown>, origin: EventRow['origin'] = 'hook'): EventRow {
  return { ...script.event(kind, data, { agent: 'claude-code', session: 's1' }), origin };
}

const START = { tool_name: 'Bash', call_id: 't1', arguments: { command: 'ls' } };
const ASK = { request_id: 'r1', tool_name: 'Bash', arguments: { command: 'ls' } };

it('tells a session of hooks as what it is, each call in one row with its telemetry, the usage with its prompt', () => {
  expect(rows(hooked(1, Date.parse('2026-01-17T10:31:00Z')))).toMatchSnapshot();
});

it('keeps a call in one row when its telemetry comes first', () => {
  const s = new Script();
  const events = [hook(s, 'tool_telemetry', { call_id: 't1', success: true, duration: 0.3 }, 'otlp'), hook(s, 'tool_call_start', START), hook(s, 'tool_call_end', { tool_name: 'Bash', call_id: 't1', success: true })];
  const timeline = new Timeline();
  timeline.apply(events);
  expect(timeline.rows.map(({ tool, outcome, took }) => [tool, outcome, took])).toEqual([['Bash', 'ok', 300]]);
});

it('shows a question that was answered in the terminal as withdrawn, and then as what came of it', () => {
  const s = new Script();
  const withdrawn = { approval_id: 'a', request_id: 'r1', tool_name: 'Bash', status: 'cancelled', decision: 'deny', by: 'hub', message: "answered in the terminal, or the hook's process ended" };
  const events = [hook(s, 'tool_call_start', START), hook(s, 'approval_request', ASK), hook(s, 'approval_resolved', withdrawn, 'hub')];
  expect(rows(events)).toEqual(['Bash | ls | withdrawn']);
  s.wait(3_600_000);
  expect(rows([...events, hook(s, 'tool_call_end', { tool_name: 'Bash', call_id: 't1', success: true, duration: 3600 })])).toEqual(['Bash | ls | ok']);
});

it('shows a call that the terminal allowed and that failed as failed, not as one that never ran', () => {
  const s = new Script();
  const withdrawn = { approval_id: 'a', request_id: 'r1', tool_name: 'Bash', status: 'cancelled', decision: 'deny', by: 'hub', message: 'answered in the terminal' };
  const end = { tool_name: 'Bash', call_id: 't1', success: false, error: 'Exit code 2', duration: 0.4 };
  expect(rows([hook(s, 'tool_call_start', START), hook(s, 'approval_request', ASK), hook(s, 'approval_resolved', withdrawn, 'hub'), hook(s, 'tool_call_end', end)])).toEqual(['Bash | ls | Exit code 2 | failed']);
});

it('counts none of the time that a person took to a call, and none at all to one that never ran', () => {
  const s = new Script();
  const resolved = (status: string) => hook(s, 'approval_resolved', { approval_id: 'a', request_id: 'r1', tool_name: 'Bash', status, decision: status, by: 'dialog' }, 'hub');
  const took = (status: string, success: boolean) => {
    const timeline = new Timeline();
    timeline.apply([hook(s, 'tool_call_start', START), hook(s, 'approval_request', ASK)]);
    s.wait(60_000);
    timeline.apply([resolved(status), hook(s, 'tool_call_end', { tool_name: 'Bash', call_id: 't1', success, error: success ? null : 'no' })]);
    return timeline.rows.map((row) => row.took);
  };
  expect(took('approved', true)).toEqual([1000]);
  expect(took('denied', false)).toEqual([undefined]);
  expect(took('stopped', false)).toEqual([undefined]);
});

it('shows a call that the policy denied as denied', () => {
  const s = new Script();
  const end = { tool_name: 'Bash', call_id: 't1', success: false, error: 'no downloads here', hook_event_name: 'PreToolUse' };
  expect(rows([hook(s, 'tool_call_start', START), hook(s, 'tool_call_end', end)])).toEqual(['Bash | ls | denied']);
});

it('makes no second row of what a row says already', () => {
  const s = new Script();
  const prompt = hook(s, 'chat_message', { sender: 'user', content: 'go' });
  const told = hook(s, 'otel_log', { name: 'user_prompt', attributes: { 'prompt.id': '1' } }, 'otlp');
  const call = [hook(s, 'tool_call_start', START), hook(s, 'approval_request', ASK), hook(s, 'notification', { notification_type: 'permission_prompt', message: 'Claude needs your permission' })];
  const batch = hook(s, 'post_tool_batch', { tool_calls: [{ tool_name: 'Bash', tool_use_id: 't1' }] });
  expect(rows([prompt, told, ...call, batch])).toEqual(['user | go', 'Bash | ls | needs you']);
  expect(rows([batch])).toEqual(['tools done | Bash']);
});

it('says that a call ran with other arguments, and not so of answers to the agent\u2019s questions', () => {
  const s = new Script();
  const approved = (tool: string) => ({ approval_id: 'a', request_id: 'r1', tool_name: tool, status: 'approved', decision: 'approve', by: 'window', arguments: { command: 'ls -l' } });
  expect(rows([hook(s, 'approval_request', ASK), hook(s, 'approval_resolved', approved('Bash'), 'hub')])).toEqual(['Bash | ls | approved | edited']);
  const asks = { ...ASK, tool_name: 'AskUserQuestion' };
  expect(rows([hook(s, 'approval_request', asks), hook(s, 'approval_resolved', approved('AskUserQuestion'), 'hub')])).toEqual(['AskUserQuestion | ls | approved']);
});

it('never gives two questions about the same call one row, nor one fate', () => {
  const s = new Script();
  const second = { ...ASK, request_id: 'r2' };
  const denied = { approval_id: 'b', request_id: 'r2', tool_name: 'Bash', status: 'denied', decision: 'deny', by: 'dialog' };
  const events = [hook(s, 'tool_call_start', START), hook(s, 'tool_call_start', { ...START, call_id: 't2' }), hook(s, 'approval_request', ASK), hook(s, 'approval_request', second), hook(s, 'approval_resolved', denied, 'hub')];
  expect(rows(events)).toEqual(['Bash | ls | needs you', 'Bash | ls | denied']);
});

it('shows a kind that nobody knows by its name, with its data and without what every hook says', () => {
  const s = new Script();
  expect(rows([hook(s, 'brand_new_thing', { hook_event_name: 'BrandNewThing', cwd: '/srv', permission_mode: 'plan', colour: 'red' })])).toEqual(['brand new thing | colour red']);
});

it('counts a request once that several signals of telemetry tell of', () => {
  const s = new Script();
  const timeline = new Timeline();
  const usage = (source: string, more: Record<string, unknown> = {}) => hook(s, 'usage', { model: 'm', input_tokens: 10, output_tokens: 1, source, ...more }, 'otlp');
  timeline.apply([hook(s, 'chat_message', { sender: 'user', content: 'go' }), usage('span'), usage('log'), usage('metric', { cumulative: 'x', input_tokens: 900 })]);
  expect(turnUsage(timeline.rows[0]!)).toBe('1 request, 10 in, 1 out');
});

it('keeps usage without a prompt as a row of its own', () => {
  const s = new Script();
  expect(rows([hook(s, 'usage', { model: 'm', input_tokens: 5 }, 'otlp')])).toEqual(['usage | m · 5 in']);
});

it('shows what the model took beside the prompt', () => {
  const s = new Script();
  const timeline = new Timeline();
  timeline.apply([hook(s, 'chat_message', { sender: 'user', content: 'go' }), hook(s, 'usage', { model: 'm', input_tokens: 1200, output_tokens: 5, cost: 0.5 }, 'otlp')]);
  expect(viewOf(timeline.rows[0]!, Date.now(), () => undefined).chip).toBe('$0.50, 1 request, 1,200 in, 5 out');
});

it('keeps a call in one row when telemetry tells of it as hooks do, before or after', () => {
  const end = { tool_name: 'Bash', call_id: 't1', success: true };
  const measured = { ...end, duration: 0.25 };
  const of = (origins: readonly ('hook' | 'otlp')[]): unknown[] => {
    const s = new Script();
    const timeline = new Timeline();
    timeline.apply(origins.flatMap((origin) => [hook(s, 'tool_call_start', START, origin), hook(s, 'tool_call_end', origin === 'hook' ? end : measured, origin)]));
    return timeline.rows.map(({ start, end: over, outcome }) => [start?.origin, over?.origin, outcome]);
  };
  expect(of(['otlp', 'hook'])).toEqual([['hook', 'hook', 'ok']]);
  expect(of(['hook', 'otlp'])).toEqual([['hook', 'hook', 'ok']]);
  expect(of(['hook', 'hook'])).toHaveLength(2);
});
