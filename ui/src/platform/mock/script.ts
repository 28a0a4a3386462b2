// A believable run for the mock hub: calls, judgements, failures, status, as SAM agents send them.
import type { EventRow } from '../../generated/EventRow';
import type { Origin } from '../../generated/Origin';

const HUBS = /^(approval_(resolved|delivered)|session_|agent_(dis)?connected|rule_)/;

export const EPOCH = 'mock';

export interface Step {
  readonly kind: string;
  readonly agent: string;
  readonly session: string;
  readonly data: Record<string, unknown>;
  /** Milliseconds since the step before. */
  readonly after: number;
}

const CALLS: [tool: string, args: Record<string, unknown>, result: string, seconds: number, error?: string][] = [
  ['read_file', { path: 'src/ingest/reader.py' }, 'import csv\nfrom pathlib import Path\n\n\ndef rows(path: Path):\n    with path.open() as file:\n        yield from csv.DictReader(file)\n', 0.012],
  ['execute_code', { code: "from ingest import rows\nprint(sum(1 for _ in rows('orders.csv')))" }, '48213\n', 0.523],
  ['search', { query: 'DictReader delimiter sniff', limit: 5 }, '[1] csv.Sniffer().sniff(sample)\n[2] pandas.read_csv(sep=None)', 1.84],
  ['Bash', { command: 'pytest -q tests/ingest', timeout: 120 }, 'F.....\n1 failed, 5 passed in 2.31s\n', 2.61, 'exit status 1: tests/ingest/test_reader.py::test_semicolons'],
  ['edit_file', { path: 'src/ingest/reader.py', old_string: 'csv.DictReader(file)', new_string: "csv.DictReader(file, dialect=csv.Sniffer().sniff(file.read(4096)))" }, 'ok', 0.021],
  ['Bash', { command: 'pytest -q tests/ingest' }, '......\n6 passed in 2.02s\n', 2.38],
  ['http_get', { url: 'https://api.example.com/v2/orders?page=14', headers: { accept: 'application/json' } }, '{"orders":[],"next":null}', 0.386],
  ['Bash', { command: 'cargo build --release' }, '   Compiling ingest v0.3.1\n    Finished `release` profile in 41.2s\n', 41.3],
];

const WHO = [
  { agent: 'sam', session: 'ingest-7f2' },
  { agent: 'claude', session: 'api' },
  { agent: 'sam', session: 'nightly' },
] as const;

/** Steps without end, the same every time. */
export function* run(): Generator<Step> {
  for (const who of WHO) yield { kind: 'agent_connected', ...who, data: { connection: `c-${who.session}` }, after: 20 };
  for (let n = 0; ; n++) {
    const who = WHO[n % 7 === 3 ? 2 : n % 3 === 1 ? 1 : 0]!;
    const [tool, args, result, seconds, error] = CALLS[n % CALLS.length]!;
    if (n % 5 === 0) yield { kind: 'agent_status', ...who, data: { status: 'processing', details: { iteration: n + 1, tokens_used: 5432 + n * 811 } }, after: 400 };
    yield { kind: 'tool_call_start', ...who, data: { tool_name: tool, arguments: args, context: { iteration: n } }, after: 300 };
    if (n % 2 === 1) {
      yield { kind: 'system3_evaluation', ...who, data: { tool_name: tool, decision: 'approve', reasoning: 'Within the working directory, reversible', confidence: 0.95 - (n % 5) / 100 }, after: 40 };
    }
    yield { kind: 'tool_call_end', ...who, data: { tool_name: tool, success: error === undefined, duration: seconds, error: error ?? null }, after: seconds * 1000 };
    yield { kind: 'tool_call_result', ...who, data: { tool_name: tool, result, truncated: false }, after: 2 };
    if (n % 9 === 6) {
      yield {
        kind: 'system2_intervention',
        ...who,
        data: { intervention_type: 'token_limit_breach', action: 'context_compression', details: { should_break: false, context_modified: true, message: 'Context compressed from 61,204 to 18,730 tokens' } },
        after: 120,
      };
    }
    if (n % 11 === 8) {
      yield { kind: 'tool_call_start', ...who, data: { tool_name: 'write_file', arguments: { path: '/etc/hosts', content: '127.0.0.1 api.example.com\n' }, context: {} }, after: 200 };
      yield { kind: 'system3_evaluation', ...who, data: { tool_name: 'write_file', decision: 'deny', reasoning: 'Outside of the project', confidence: 0.99 }, after: 30 };
      yield { kind: 'system3_intervention', ...who, data: { action: 'block_execution', details: { reason: 'Protected file access attempt' } }, after: 10 };
    }
    if (n % 6 === 4) yield { kind: 'autonomous_activity', ...who, data: { activity_type: 'heartbeat', details: { timestamp: 1705488610.123, heartbeat_count: n } }, after: 500 };
  }
}

/** The same steps as stored events, ending at `until`. */
export function history(count: number, until: number): EventRow[] {
  const steps: Step[] = [];
  for (const step of run()) {
    steps.push(step);
    if (steps.length === count) break;
  }
  let time = until - steps.reduce((sum, { after }) => sum + after, 0);
  return steps.map((step, n) => eventOf(step, n + 1, (time += step.after)));
}

export function eventOf(step: Omit<Step, 'after'> & { readonly origin?: Origin }, seq: number, time: number): EventRow {
  const at = new Date(time).toISOString();
  return { seq, id: `${EPOCH}:${seq}`, time: at, origin: step.origin ?? (HUBS.test(step.kind) ? 'hub' : 'sam'), agent: step.agent, session: step.session, kind: step.kind, type: step.kind, timestamp: at, data: step.data };
}
