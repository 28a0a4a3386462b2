// Sessions with their subagents' sessions beneath them, grouped by what the most urgent of them needs.
import type { Activity } from '../generated/Activity';
import { ACTIVITIES, sessionKey, type Session } from './sessions';

export interface Family {
  readonly head: Session;
  /** What the family needs: the most urgent of its own and its subagents'. */
  readonly activity: Activity;
  /** Those at work or in need first, then the newest. */
  readonly children: readonly Session[];
}

const urgency = (session: Session): number => ACTIVITIES.indexOf(session.activity);

/** A child whose parent is not there stands for itself. In the order of `sessions`. */
export function families(sessions: readonly Session[]): Family[] {
  const known = new Map(sessions.map((session) => [session.key, session]));
  const childrenOf = new Map<string, Session[]>();
  const parentOf = (session: Session): Session | undefined => (session.parent === undefined ? undefined : known.get(sessionKey(session.agent, session.parent)));
  /** The oldest that is there; a ring of parents, which no agent should make, has none. */
  const headOf = (session: Session): Session => {
    let head = session;
    for (let steps = 0; steps < 8; steps++) {
      const parent = parentOf(head);
      if (!parent || parent === head) return head;
      head = parent;
    }
    return session;
  };
  const heads: Session[] = [];
  for (const session of sessions) {
    const head = headOf(session);
    if (head === session) heads.push(session);
    else childrenOf.set(head.key, [...(childrenOf.get(head.key) ?? []), session]);
  }
  return heads.map((head) => {
    const children = (childrenOf.get(head.key) ?? []).sort((a, b) => urgency(a) - urgency(b) || b.last - a.last);
    // What is only gone or idle beneath says nothing about the whole.
    const activity = [head, ...children.filter(({ activity }) => activity !== 'gone' && activity !== 'idle')].sort((a, b) => urgency(a) - urgency(b))[0]!.activity;
    return { head, activity, children };
  });
}

/** What tells a session from others of its agent: its folder's name where it has one, and the beginning of its id. */
export function nameOfSession(session: Session): string {
  if (session.parent !== undefined) return session.role ?? session.session.slice(session.parent.length + 1);
  const folder = session.folder?.split(/[/\\\\]+/).filter(Boolean).at(-1);
  return folder === undefined ? session.session : `${folder} ${session.session.slice(0, 4)}`;
}

/** Children that are shown without being asked for: those at work or in need. */
export function lively({ children }: Family): readonly Session[] {
  return children.filter(({ activity }) => activity === 'needs_you' || activity === 'working' || activity === 'failed');
}
