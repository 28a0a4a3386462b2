import { expect, it } from 'vitest';
import { hoursOf, readMetrics } from './metrics';

const OVERVIEW = {
  tasks: { total: 42, running: 3, completed: 35, failed: 4 },
  costs: { total_cost: 12.45, haiku_cost: 8.2, sonnet_cost: 4.25, by_model: { 'claude-haiku-4-5': 8.2, other: 0 }, estimated: true, estimated_cost: 8.2 },
  claude_api: { total_requests: 156, total_input_tokens: 45000, total_output_tokens: 23000, by_model: { 'claude-haiku-4-5': { requests: 150, input_tokens: 40000, output_tokens: 20000, cost: 8.2, estimated: true } } },
  tools: { total_calls: 201, by_type: { Edit: 45, Read: 89, Bash: 67 } },
};

it('reads a whole update', () => {
  const metrics = readMetrics({ overview: OVERVIEW, sessions: { total_sessions: 15 }, activity: [{ description: 'Task completed', timestamp: 1729432100.5 }], timestamp: 1 });
  expect([metrics.tasks.failed, metrics.cost, metrics.requests, metrics.sessions]).toEqual([4, 12.45, 156, 15]);
  expect(metrics.tools.map(({ tool }) => tool)).toEqual(['Read', 'Bash', 'Edit']);
  expect(metrics.models.map(({ model, requests, estimated }) => [model, requests, estimated])).toEqual([['claude-haiku-4-5', 150, true], ['other', 0, false]]);
  expect(metrics.activity).toEqual([{ description: 'Task completed', time: 1729432100500 }]);
});

it('reads an overview alone, and nonsense as nothing', () => {
  const overview = readMetrics(OVERVIEW);
  expect([overview.tasks.total, overview.sessions, overview.activity]).toEqual([42, undefined, undefined]);
  for (const nonsense of [null, 'x', [], { overview: 5, activity: {} }, { tasks: { total: 'many' }, tools: { by_type: { a: 'b' } } }]) {
    const metrics = readMetrics(nonsense);
    expect([metrics.tasks.total, metrics.tools, metrics.models, metrics.activity]).toEqual([0, [], [], undefined]);
  }
});

it('takes whole hours of a week', () => {
  expect(['1', '24', ' 168 ', '0', '169', '1.5', '', '-3', 'x', '1e2'].map(hoursOf)).toEqual([1, 24, 168, undefined, undefined, undefined, undefined, undefined, undefined, undefined]);
});
