// What is known of kinds of events by name: which group a filter chip counts them to, and what a row calls them. Any other kind is
// shown under its own name.
import type { Group } from './row';

const GROUPS: Record<string, Group> = {
  tool_call_start: 'calls',
  tool_call_end: 'calls',
  tool_call_result: 'calls',
  approval_request: 'calls',
  system3_evaluation: 'calls',
  agent_status: 'activity',
  autonomous_activity: 'activity',
  state_changed: 'activity',
  usage: 'activity',
  error: 'activity',
  otel_log: 'activity',
  otel_span: 'activity',
  tool_telemetry: 'calls',
  permission_denied: 'calls',
  post_tool_batch: 'activity',
  setup: 'activity',
  task_created: 'activity',
  task_completed: 'activity',
  compaction_started: 'activity',
  compaction_ended: 'activity',
  teammate_idle: 'activity',
  config_change: 'activity',
  instructions_loaded: 'activity',
  cwd_changed: 'activity',
  file_changed: 'activity',
  worktree_create: 'activity',
  worktree_remove: 'activity',
  session_started: 'runs',
  session_ended: 'runs',
  subagent_started: 'runs',
  subagent_stopped: 'runs',
  turn_failed: 'runs',
  interrupt: 'runs',
  turn_completed: 'messages',
  user_prompt_expansion: 'messages',
  message_display: 'messages',
  elicitation: 'messages',
  elicitation_result: 'messages',
  execution_started: 'runs',
  execution_completed: 'runs',
  execution_failed: 'runs',
  execution_paused: 'runs',
  execution_resumed: 'runs',
  node_executed: 'runs',
  goal_progress: 'runs',
  goal_achieved: 'runs',
  constraint_violation: 'runs',
  chat_message: 'messages',
  reasoning: 'messages',
  notification: 'messages',
  user_presence: 'messages',
};

const NAMES: Record<string, string> = {
  otel_log: 'telemetry',
  otel_span: 'span',
  agent_status: 'status',
  autonomous_activity: 'autonomous',
  system2_intervention: 'system 2',
  system3_intervention: 'system 3',
  system3_evaluation: 'system 3',
  agent_connected: 'connected',
  agent_disconnected: 'disconnected',
  session_stopped: 'session stopped',
  session_resumed: 'stop lifted',
  approval_resolved: 'approval answered',
  approval_delivered: 'answer delivered',
  execution_started: 'run started',
  execution_completed: 'run completed',
  execution_failed: 'run failed',
  execution_paused: 'run paused',
  execution_resumed: 'run goes on',
  node_executed: 'node',
  goal_progress: 'goal',
  goal_achieved: 'goal achieved',
  state_changed: 'state',
  constraint_violation: 'constraint violated',
  user_presence: 'presence',
  post_tool_batch: 'tools done',
  turn_completed: 'turn ended',
  user_prompt_expansion: 'command',
  message_display: 'message',
  interrupt: 'interrupted',
  rule_created: 'rule made',
  rule_revoked: 'rule revoked',
};

export function groupOf(kind: string): Group {
  const known = GROUPS[kind];
  if (known) return known;
  if (kind.startsWith('system2_') || kind.startsWith('system3_')) return 'judgements';
  return /^(approval|session|agent|rule)_/.test(kind) ? 'hub' : 'other';
}

export function kindName(kind: string): string {
  return NAMES[kind] ?? kind.replaceAll('_', ' ');
}

/** Whether a reason given for a pause is a person (HITL: human in the loop); the hub's reading of it (`Fact::RunPaused`). */
export function waitsForPerson(reason: string): boolean {
  return /hitl|human|approval|person|user/i.test(reason);
}

/** An event that `doctor` sent through a hook to see that it arrives: nobody's session, and nothing has happened. */
export function isProbe({ origin, kind }: { readonly origin: string; readonly kind: string }): boolean {
  return origin === 'hook' && kind === 'probe';
}
