// What the hub is attached to, what it posts to, and which agents of this machine are connected to it.
import type { Dialect } from '../generated/Dialect';
import type { HubStatus } from '../generated/HubStatus';

export const DIALECTS: readonly Dialect[] = ['sam', 'hive', 'amiga', 'cloud', 'codex'];

export interface NewUpstream {
  readonly name: string;
  readonly dialect: Dialect;
  readonly url: string;
  readonly token?: string;
}

/** How an agent is to be connected; what is not said stays as it is. */
export interface ConnectWish {
  /** One project's settings instead of the person's own: its folder, from the root. */
  readonly project?: string;
  /** Tell the hub usage and cost. */
  readonly telemetry?: boolean;
  /** What it is told while no hub runs. */
  readonly when_absent?: 'ask' | 'deny' | 'allow';
  /** Only show what would change. */
  readonly dry_run?: boolean;
}

/** How many of them need a look: unreachable, going round in a loop, refusing for good. */
export function troubles(status: HubStatus | undefined): number {
  const upstreams = status?.upstreams.filter(({ state }) => state === 'waiting' || state === 'loop').length ?? 0;
  return upstreams + (status?.webhooks.filter(({ state }) => state !== 'ok').length ?? 0);
}

/** What is wrong with the form's entries, in words; empty when they can be sent. The hub has the last word. */
export function faultIn({ name, url }: NewUpstream, known: readonly { readonly name: string }[]): string {
  if (name === '') return 'Give it a name: its agents are shown as NAME/AGENT.';
  if (known.some((other) => other.name === name)) return `There is an upstream ${name} already.`;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return 'The address is no address: ws://127.0.0.1:8765/, say.';
  }
  return /^(wss?|https?):$/.test(parsed.protocol) && parsed.host !== '' ? '' : 'The address starts with ws://, wss://, http:// or https://.';
}
