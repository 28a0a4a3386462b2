// What a row says in one line, and the text that a search looks through.
import type { EventRow } from '../generated/EventRow';
import { gist } from './call';
import { errorText, fields, isEmpty, number, text, type Fields } from './read';
import { failure, isCall, judgement, type Row } from './row';
import { oneLine } from './visible';
import { count, money, plural, surface } from './words';

const HAYSTACK = 16 * 1024;

/** `rm -rf build`, `context_compression: token limit breach`. */
export function summary(row: Row): string {
  if (row.cache.version === row.version && row.cache.summary !== undefined) return row.cache.summary;
  const said = oneLine(isCall(row) ? callLine(row) : eventLine(row.events[0]!));
  remember(row).summary = said;
  return said;
}

/** Why a call failed, in a line; empty where it did not. */
export function failureLine(row: Row): string {
  return row.outcome === 'failed' ? oneLine(failure(row) ?? '', 400) : '';
}

function remember(row: Row): Row['cache'] {
  if (row.cache.version !== row.version) row.cache = { version: row.version };
  return row.cache;
}

function callLine(row: Row): string {
  const from = fields((row.start ?? row.asked ?? row.end ?? row.refused ?? row.telemetry[0])?.data);
  const line = gist(from['arguments']);
  if (line !== '' || row.outcome === 'failed') return line;
  const result = fields(row.result?.data)['result'] ?? fields(row.end?.data)['result'];
  if (result !== undefined) return typeof result === 'string' ? result : JSON.stringify(result);
  return row.judgements[0] ? judgementLine(row.judgements[0]) : '';
}

export function eventLine(event: EventRow): string {
  const data = fields(event.data);
  const details = fields(data['details']);
  switch (event.kind) {
    case 'system2_intervention':
    case 'system3_intervention':
    case 'system3_evaluation':
      return judgementLine(event);
    case 'agent_status':
      return statusLine(data, details);
    case 'autonomous_activity':
      return join(text(data, 'activity_type')?.replaceAll('_', ' '), pairs(details, 'timestamp'));
    case 'approval_resolved':
      return join(text(data, 'tool_name'), `${text(data, 'status') ?? 'answered'} by ${text(data, 'rule') === undefined ? surface(text(data, 'by')) : 'a rule'}`, text(data, 'message'));
    case 'approval_delivered':
      return join(text(data, 'tool_name'), text(data, 'delivery') === 'undeliverable' ? 'the agent was gone and did not get the answer' : 'the agent got the answer');
    case 'rule_created':
    case 'rule_revoked': {
      const rule = fields(data['rule']);
      return join(text(rule, 'tool_name'), text(rule, 'decision') === 'deny' ? 'denied' : 'allowed', text(rule, 'agent'), text(rule, 'session') === undefined ? 'in all sessions' : 'in one session');
    }
    case 'session_stopped':
    case 'session_resumed':
      return join(`by ${surface(text(data, 'by'))}`, text(data, 'message'));
    case 'agent_connected':
      return '';
    case 'agent_disconnected':
      return text(data, 'reason') ?? '';
    case 'execution_failed':
      return join(errorText(data['error']), pairs(data, 'error'));
    case 'execution_paused':
      return join(said(data['reason']), pairs(data, 'reason'));
    case 'goal_progress':
      return join(percent(number(data, 'progress'), 1), pairs(data, 'progress'));
    case 'constraint_violation':
      return join(said(data['message'] ?? data['constraint'] ?? data['reason']), pairs(data, 'message', 'constraint', 'reason'));
    case 'chat_message':
      return said(data['content']) ?? pairs(data);
    case 'user_presence':
      return join(text(data, 'userId', 'user_id'), text(data, 'status'));
    case 'usage':
      return usageLine(data);
    case 'otel_log':
    case 'otel_span':
      return join(text(data, 'name'), said(data['body']), errorText(data['error']), pairs(fields(data['attributes'])));
    default:
      return hookLine(event.kind, data) ?? text(data, 'message', 'text', 'summary') ?? pairs(data, ...(text(data, 'hook_event_name') === undefined ? [] : ENVELOPE));
  }
}

/** What every hook brings: said once for the session, and not in each row. */
const ENVELOPE = ['hook_event_name', 'session_id', 'transcript_path', 'agent_transcript_path', 'cwd', 'prompt_id', 'turn_id', 'permission_mode', 'effort', 'model', 'agent_id', 'agent_type', 'parent_session', 'stop_hook_active', 'late', 'happened_at'];

/** The events of Claude Code's and Codex's hooks that say something in words of their own. */
function hookLine(kind: string, data: Fields): string | undefined {
  switch (kind) {
    case 'session_started':
      return join(text(data, 'source'), text(data, 'model'), text(data, 'cwd'));
    case 'session_ended':
      return text(data, 'reason') ?? '';
    case 'turn_completed':
      return said(data['content']) ?? '';
    case 'turn_failed':
      return join(errorText(data['error']), text(data, 'content', 'last_assistant_message'));
    case 'subagent_started':
    case 'subagent_stopped':
      return join(text(data, 'agent_type'), text(data, 'content', 'last_assistant_message'));
    case 'task_created':
    case 'task_completed':
      return join(text(data, 'task_subject'), text(data, 'task_description'));
    case 'compaction_started':
    case 'compaction_ended':
      return join(text(data, 'trigger'), text(data, 'custom_instructions', 'compact_summary'));
    case 'setup':
      return text(data, 'trigger') ?? '';
    case 'user_prompt_expansion':
      return text(data, 'prompt') ?? join(text(data, 'command_name'), text(data, 'command_args'));
    case 'message_display':
      return text(data, 'delta') ?? '';
    case 'post_tool_batch':
      return Array.isArray(data['tool_calls']) ? data['tool_calls'].map((call) => text(fields(call), 'tool_name') ?? 'a tool').join(', ') : undefined;
    case 'cwd_changed':
      return [text(data, 'old_cwd'), text(data, 'new_cwd')].filter((folder) => folder !== undefined).join(' → ');
    case 'instructions_loaded':
    case 'file_changed':
      return join(text(data, 'file_path'), text(data, 'load_reason', 'change_type'));
    default:
      return undefined;
  }
}

/** The best telemetry first: the same request may be told by several of these signals, and then counts once. */
const SOURCES = ['log', 'span', 'agent_span', 'metric'];

/** What was told of the turn's requests by the best source that told of any; sums since a series began say nothing of one turn. */
function usageOf(row: Row): EventRow[] {
  const told = row.usage.filter(({ data }) => isEmpty(fields(data)['cumulative']));
  const best = SOURCES.find((source) => told.some(({ data }) => text(fields(data), 'source') === source));
  return told.filter(({ data }) => (text(fields(data), 'source') ?? best) === best);
}

/** What the model took for a turn, in two or three words: `$0.0420, 4 requests, 12,300 in, 410 out`; empty where nothing is known. */
export function turnUsage(row: Row): string {
  const told = usageOf(row);
  const sum = (...names: string[]): number => told.reduce((all, event) => all + (number(fields(event.data), ...names) ?? 0), 0);
  if (told.length === 0) return '';
  const cost = sum('cost', 'cost_usd', 'total_cost_usd');
  const parts = [`${count(sum('input_tokens', 'input'))} in`, `${count(sum('output_tokens', 'output'))} out`];
  const requests = plural(told.reduce((all, event) => all + (number(fields(event.data), 'requests') ?? 1), 0), 'request');
  return [...(cost > 0 ? [money(cost)] : []), requests, ...parts].join(', ');
}

function said(value: unknown): string | undefined {
  return typeof value === 'string' ? value : value === undefined || value === null ? undefined : JSON.stringify(value);
}

function percent(value: number | undefined, whole: number): string | undefined {
  return value === undefined ? undefined : `${Math.round((value / whole) * 100)}%`;
}

/** SAM says `status` with details, Cloud Agents `state` with the task and how far it is. */
function statusLine(data: Fields, details: Fields): string {
  const state = text(data, 'state');
  if (state === undefined) return join(text(data, 'status'), pairs(details));
  return join(state, text(data, 'currentTask'), percent(number(data, 'progress'), 100), pairs(details));
}

/** `claude-haiku-4-5 · 1,204 in · 310 out · $0.0042`. */
function usageLine(data: Fields): string {
  const part = (word: string, ...names: string[]): string | undefined => {
    const value = number(data, ...names);
    return value === undefined ? undefined : `${count(value)} ${word}`;
  };
  const cost = number(data, 'cost', 'cost_usd', 'total_cost_usd');
  const tokens = [part('in', 'input_tokens', 'input'), part('out', 'output_tokens', 'output'), part('from cache', 'cache_read_tokens', 'cache_read_input_tokens'), part('to cache', 'cache_write_tokens', 'cache_creation_input_tokens')];
  const line = join(text(data, 'model'), ...tokens, cost === undefined ? undefined : money(cost));
  return line === '' ? pairs(data) : line;
}

/** `approved 0.95: Safe code execution`, `block_execution: Protected file access attempt`. */
export function judgementLine(event: EventRow): string {
  const data = fields(event.data);
  const details = fields(data['details']);
  const why = text(data, 'reasoning', 'reason') ?? text(details, 'reason', 'message', 'reasoning');
  const confidence = confidenceOf(data);
  const word = text(data, 'decision', 'action') ?? 'judged';
  const about = text(data, 'intervention_type');
  return [[word, confidence, about && `(${about.replaceAll('_', ' ')})`].filter((part) => part !== undefined).join(' '), why]
    .filter((part) => part !== undefined)
    .join(': ');
}

/** To two decimals; floats bring more. */
export function confidenceOf(data: Fields): number | undefined {
  const confidence = number(data, 'confidence');
  return confidence === undefined ? undefined : Math.round(confidence * 100) / 100;
}

/** The same in two words, for the chip beside a call. */
export function judgementChip(event: EventRow): { stance: 'for' | 'against' | 'note'; words: string } {
  const data = fields(event.data);
  const stance = judgement(event);
  const confidence = confidenceOf(data);
  const system = event.kind.startsWith('system2') ? 'S2' : 'S3';
  const word = (text(data, 'decision', 'action') ?? 'judged').replaceAll('_', ' ');
  return { stance, words: oneLine(confidence === undefined ? `${system} ${word}` : `${system} ${word} ${confidence}`, 40) };
}

function join(...said: (string | undefined)[]): string {
  return said.filter((part) => part !== undefined && part !== '').join(' · ');
}

function pairs(data: Fields, ...without: string[]): string {
  return Object.entries(data)
    .filter(([name, value]) => !without.includes(name) && value !== null && value !== undefined)
    .map(([name, value]) => {
      const shown = typeof value === 'number' && Number.isInteger(value) ? count(value) : typeof value === 'string' ? value : JSON.stringify(value);
      return `${name.replaceAll('_', ' ')} ${shown}`;
    })
    .join(' · ');
}

/** All that a search looks through, in lower case. */
export function haystack(row: Row): string {
  if (row.cache.version === row.version && row.cache.haystack !== undefined) return row.cache.haystack;
  const found: string[] = [row.agent, row.session ?? '', row.kind, row.outcome];
  let left = HAYSTACK;
  const gather = (value: unknown): void => {
    if (left <= 0 || value === null || value === undefined) return;
    if (typeof value === 'object') {
      for (const [key, item] of Object.entries(value)) {
        if (!Array.isArray(value)) found.push(key);
        left -= key.length;
        gather(item);
      }
      return;
    }
    const said = String(value);
    found.push(said);
    left -= said.length;
  };
  for (const event of row.events) gather(event.data);
  const whole = found.join('\n').toLowerCase();
  remember(row).haystack = whole;
  return whole;
}
