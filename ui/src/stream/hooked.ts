// What the hooks of Claude Code and Codex say of their session, as the hub reads it too (crates/hub/src/sessions/told.rs): whose
// subagent it is, where it works, when a turn begins and ends.
import type { EventRow } from '../generated/EventRow';
import { text, type Fields } from './read';
import { oneLine } from './visible';

/** The part of a session that hooks speak of. */
export interface Hooked {
  task: string | undefined;
  parent: string | undefined;
  role: string | undefined;
  folder: string | undefined;
  ended: boolean;
  running: number;
  refused: number;
  busy: boolean;
}

/** What is left to be read from the event, as from any other's: all of it, nothing, or that its turn failed. */
export type Left = 'all' | 'nothing' | 'failed';

const BEGINS = new Set(['session_started', 'subagent_started', 'chat_message', 'tool_call_start', 'approval_request']);

function over(session: Hooked, task: string | undefined): void {
  session.running = 0;
  session.refused = 0;
  session.busy = false;
  session.task = task;
}

export function hear(session: Hooked, event: EventRow, data: Fields): Left {
  session.parent = text(data, 'parent_session') ?? session.parent;
  session.role = text(data, 'agent_type') ?? session.role;
  session.folder ??= text(data, 'cwd');
  // It happened before what is known: it says nothing about now.
  if (data['late'] === true) return 'nothing';
  const { ended } = session;
  // What comes after the end, such as the end of its last turn, does not begin it again.
  session.ended = ended && !BEGINS.has(event.kind);
  switch (event.kind) {
    case 'session_started':
      // After a compaction the turn goes on.
      if (text(data, 'source') !== 'compact') over(session, undefined);
      return 'nothing';
    case 'session_ended':
    case 'subagent_stopped':
      over(session, undefined);
      session.ended = true;
      return 'nothing';
    case 'subagent_started':
      over(session, undefined);
      session.busy = true;
      return 'nothing';
    case 'chat_message': {
      if (text(data, 'sender') !== 'user') return 'all';
      over(session, oneLine(text(data, 'content') ?? '', 200));
      session.busy = true;
      return 'nothing';
    }
    case 'turn_completed':
    case 'interrupt':
      over(session, session.task);
      return 'nothing';
    case 'turn_failed':
      over(session, text(data, 'error'));
      return 'failed';
    case 'permission_denied':
      session.running = Math.max(0, session.running - 1);
      return 'nothing';
    case 'notification':
      if (text(data, 'notification_type') === 'idle_prompt') over(session, session.task);
      return 'all';
    default:
      return 'all';
  }
}
