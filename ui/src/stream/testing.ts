// Events for unit tests of the stream layer.
import type { EventRow } from '../generated/EventRow';

const START = Date.parse('2026-01-17T10:30:00.000Z');

/** Makes events with a seq and a second each; `at` moves the clock. */
export class Script {
  private seq: number;
  private now = START;

  constructor(
    first = 1,
    private readonly agent = 'sam',
    private readonly session = 's1',
  ) {
    this.seq = first;
  }

  wait(ms: number): this {
    this.now += ms;
    return this;
  }

  event(kind: string, data: Record<string, unknown> = {}, who: { agent?: string; session?: string } = {}): EventRow {
    const time = new Date(this.now).toISOString();
    this.now += 1000;
    const seq = this.seq++;
    return { seq, id: `e:${seq}`, time, origin: 'sam', agent: this.agent, session: this.session, kind, type: kind, timestamp: time, data, ...who };
  }

  start(tool: string, args: unknown = { code: 'x' }, more: Record<string, unknown> = {}): EventRow {
    return this.event('tool_call_start', { tool_name: tool, arguments: args, context: {}, ...more });
  }

  end(tool: string, more: Record<string, unknown> = {}): EventRow {
    return this.event('tool_call_end', { tool_name: tool, success: true, duration: 0.5, error: null, ...more });
  }

  result(tool: string, result: unknown = 'done', more: Record<string, unknown> = {}): EventRow {
    return this.event('tool_call_result', { tool_name: tool, result, truncated: false, ...more });
  }

  evaluation(tool: string, decision = 'approve'): EventRow {
    return this.event('system3_evaluation', { tool_name: tool, decision, reasoning: 'because', confidence: 0.95 });
  }

  ask(tool: string, request: string, args: unknown = { code: 'x' }): EventRow {
    return this.event('approval_request', { request_id: request, tool_name: tool, arguments: args });
  }

  answer(tool: string, request: string, status: string, by = 'dialog'): EventRow {
    return this.event('approval_resolved', { approval_id: `a-${request}`, request_id: request, tool_name: tool, status, decision: status, scope: 'once', by });
  }
}
