// Figures, upstreams and webhooks for the mock hub.
import type { Upstream } from '../../generated/Upstream';
import type { Webhook } from '../../generated/Webhook';

const MODELS: Record<string, [requests: number, input: number, output: number, read: number, write: number, cost: number, estimated: boolean]> = {
  'claude-sonnet-4-5': [62, 310_400, 48_210, 1_204_000, 88_000, 4.2513, false],
  'claude-haiku-4-5': [411, 902_310, 120_450, 3_310_000, 210_000, 2.0871, true],
  'gpt-5-codex': [38, 201_000, 30_120, 0, 0, 0.552, false],
  'llama-3.3-70b': [12, 18_020, 4_400, 0, 0, 0, false],
};
const TOOLS: Record<string, number> = { Bash: 167, Read: 89, Edit: 45, search: 31, execute_code: 22, http_get: 9, run_sql: 2 };

/** Grows with the hours; whole numbers, the same every time. */
export function figures(hours: number, now: number): object {
  const part = (whole: number): number => Math.max(1, Math.round((whole * Math.min(hours, 168)) / 168));
  const models = Object.fromEntries(
    Object.entries(MODELS).map(([model, [requests, input, output, read, write, cost, estimated]]) => [
      model,
      { requests: part(requests), input_tokens: part(input), output_tokens: part(output), cache_read_tokens: read && part(read), cache_write_tokens: write && part(write), cost: (cost * part(1000)) / 1000, estimated },
    ]),
  );
  const sum = (name: string): number => Object.values(models).reduce((all, model) => all + Number(model[name as keyof typeof model]), 0);
  const tools = Object.fromEntries(Object.entries(TOOLS).map(([tool, calls]) => [tool, part(calls)]));
  const said = ['sam started pytest', 'deal-desk: the run exec-3b7 failed', 'codex completed a run', 'claude edited src/routes/orders.ts', 'Writer is at work: Shorten the second paragraph'];
  return {
    overview: {
      tasks: { total: part(420) + 7, running: 3, completed: part(420), failed: 4 },
      costs: { total_cost: sum('cost'), haiku_cost: 2.08, sonnet_cost: 4.25, estimated: true, estimated_cost: models['claude-haiku-4-5']?.cost },
      claude_api: { total_requests: sum('requests'), total_input_tokens: sum('input_tokens'), total_output_tokens: sum('output_tokens'), total_cache_read_tokens: sum('cache_read_tokens'), total_cache_write_tokens: sum('cache_write_tokens'), unpriced_requests: part(12), by_model: models },
      tools: { total_calls: Object.values(tools).reduce((all, calls) => all + calls, 0), by_type: tools },
    },
    sessions: { total_sessions: part(31) },
    activity: said.map((description, n) => ({ description, timestamp: now / 1000 - n * 41.5 })),
    timestamp: now / 1000,
  };
}

export const NOTHING = {
  overview: { tasks: { total: 0, running: 0, completed: 0, failed: 0 }, costs: { total_cost: 0 }, claude_api: { total_requests: 0 }, tools: { total_calls: 0, by_type: {} } },
  sessions: { total_sessions: 0 },
  activity: [],
};

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

export const upstreams = (failing: boolean): Upstream[] => [
  { name: 'lab', dialect: 'hive', url: 'ws://10.2.0.14:8080/stream', state: 'connected', since: ago(4_210), events: 18_204, configured: true },
  { name: 'support', dialect: 'cloud', url: 'wss://agents.example.com/ws', state: 'connecting', since: ago(2), events: 0, configured: false },
  ...(failing
    ? ([
        { name: 'metrics-host', dialect: 'amiga', url: 'http://10.2.0.20:5000/', state: 'waiting', since: ago(95), last_error: 'Connection refused (os error 111); tried again in 12 s', events: 3_410, configured: false },
        { name: 'twin', dialect: 'sam', url: 'ws://127.0.0.1:8766/', state: 'loop', since: ago(610), last_error: 'It is attached to this hub: its events would come back to it', events: 0, configured: false },
      ] as const)
    : []),
];

export const webhooks = (failing: boolean): Webhook[] => [
  { name: 'audit', url: 'https://hooks.example.com/countersign', state: 'ok', behind: 0, dead: 0 },
  ...(failing
    ? ([
        { name: 'pager', url: 'https://pager.example.com/v2', state: 'retrying', last_error: '503 Service Unavailable; tried again in 40 s', behind: 212, dead: 0 },
        { name: 'sheet', url: 'https://sheet.example.com/in', state: 'dead', last_error: '400 Bad Request: unknown field stream_id', behind: 0, dead: 3 },
      ] as const)
    : []),
];
