// What agents of the other four dialects say, for the mock hub: runs with goals, a pause for a person, conversations, presence, usage.
import type { Origin } from '../../generated/Origin';
import type { Step } from './script';

export interface DialectStep extends Step {
  readonly origin: Origin;
}

const HIVE = { origin: 'hive', agent: 'deal-desk', session: 'exec-41c' } as const;
const REVIEW = { origin: 'hive', agent: 'contracts', session: 'exec-9a0' } as const;
const CLOUD = { origin: 'cloud', agent: 'Writer', session: 'conv-17' } as const;
const CODEX = { origin: 'codex', agent: 'codex', session: '7f3c2a90d1e84b5f9a6c0b1d2e3f4a5b' } as const;

const STORY: Omit<DialectStep, 'after'>[] = [
  { ...HIVE, kind: 'execution_started', data: { input: 'Quote for 400 seats', graph: 'pricing' } },
  { ...CLOUD, agent: 'ada', session: 'conv-17', kind: 'user_presence', data: { userId: 'ada', status: 'online' } },
  { ...CLOUD, agent: 'ada', kind: 'chat_message', data: { conversationId: 'conv-17', sender: 'ada', content: 'Can you shorten the second paragraph?' } },
  { ...CLOUD, kind: 'agent_status', data: { agentName: 'Writer', state: 'working', currentTask: 'Shorten the second paragraph', progress: 35 } },
  { ...HIVE, kind: 'node_executed', data: { node_id: 'collect_prices', duration: 1.2, success: true } },
  { ...HIVE, kind: 'goal_progress', data: { goal_id: 'quote', progress: 0.62 } },
  { ...CLOUD, kind: 'usage', data: { model: 'claude-haiku-4-5', input_tokens: 1204, output_tokens: 310, cache_read_tokens: 8800, cost: 0.0042 } },
  { ...CODEX, kind: 'chat_message', data: { sender: 'user', content: 'Make the tests pass', conversationId: CODEX.session } },
  { ...CODEX, kind: 'reasoning', data: { summary: 'The sniffing fails for one-column files' } },
  { ...CODEX, kind: 'tool_call_start', data: { tool_name: 'shell', arguments: { command: ['bash', '-lc', 'npm test'] }, call_id: 'call_1' } },
  { ...CODEX, kind: 'tool_call_result', data: { tool_name: 'shell', call_id: 'call_1', result: '12 passed' } },
  { ...CODEX, kind: 'tool_call_end', data: { tool_name: 'shell', call_id: 'call_1', success: true } },
  { ...CODEX, kind: 'chat_message', data: { sender: 'assistant', content: 'All twelve pass now; the reader sniffs with a fallback.', conversationId: CODEX.session } },
  { ...CODEX, kind: 'execution_completed', data: {} },
  { ...CLOUD, agent: 'grace', kind: 'user_presence', data: { userId: 'grace', status: 'away' } },
  { ...CLOUD, agent: 'linus', kind: 'user_presence', data: { userId: 'linus', status: 'busy' } },
  { ...CLOUD, kind: 'notification', data: { level: 'warning', message: 'The draft was not saved for ten minutes' } },
  { ...HIVE, kind: 'constraint_violation', data: { constraint: 'discount <= 0.2', value: 0.31 } },
  { ...HIVE, kind: 'state_changed', data: { key: 'discount', old: 0.31, new: 0.2 } },
  { ...REVIEW, kind: 'execution_started', data: { input: 'Check the NDA' } },
  { ...REVIEW, kind: 'execution_paused', data: { node_id: 'sign', reason: 'HITL: a person has to read clause 7' } },
  { ...HIVE, session: 'exec-3b7', kind: 'execution_failed', data: { error: 'The price list has no entry for EU-W' } },
  { origin: 'rest', agent: 'sensors', session: 'hall-2', kind: 'temperature', data: { celsius: 21.4, humid: false } },
  { ...CLOUD, kind: 'notification', data: { level: 'success', message: 'Draft 3 is published' } },
  { ...HIVE, kind: 'goal_progress', data: { goal_id: 'quote', progress: 0.85 } },
];

/** The story, told over and over; the review waits until somebody resumes it. */
export function* dialects(): Generator<DialectStep> {
  for (let round = 0; ; round++) {
    for (const step of STORY) {
      if (round > 0 && (step.session === REVIEW.session || step.kind === 'user_presence')) continue;
      yield { ...step, after: 450 };
    }
  }
}
