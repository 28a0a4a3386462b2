// What an agent is told while no hub runs, in words; and how a connection stands, from what is known of it.
import type { Shape } from '../../components/Glyph.svelte';
import type { Connection } from '../../generated/Connection';
import type { Finding } from '../../generated/Finding';

export const POLICIES = ['ask', 'deny', 'allow'] as const;
export type Policy = (typeof POLICIES)[number];

const WORDS: Record<Policy, string> = { ask: 'asked in its terminal', deny: 'denied', allow: 'allowed' };

export const MEANINGS: Record<Policy, string> = {
  ask: 'Its own question appears, as if it were not connected.',
  deny: 'Every question is answered no.',
  allow: 'Every question is answered yes, with nobody asked.',
};

export function policyOf({ when_absent }: Connection): Policy | undefined {
  return POLICIES.find((known) => known === when_absent);
}

export const policyWord = (policy: Policy): string => WORDS[policy];

export interface Standing {
  readonly shape: Shape;
  readonly word: string;
  readonly bad: boolean;
}

/** `seen`: something of it has come. */
export function standing({ state, title }: Connection, findings: readonly Finding[], seen: boolean): Standing {
  switch (state) {
    case 'none':
      return { shape: 'dot', word: 'not connected', bad: false };
    case 'partly':
      return { shape: 'warn', word: 'connected in part, or to another Countersign', bad: false };
    case 'unreadable':
      return { shape: 'bad', word: 'its settings cannot be read', bad: true };
    case 'connected': {
      const wrong = findings.find((finding) => finding.state === 'fail');
      if (wrong?.check === 'trust') return { shape: 'bad', word: `connected, but ${title} skips the hooks: they are not trusted`, bad: true };
      if (wrong) return { shape: 'bad', word: 'connected, but something stands in the way', bad: true };
      return seen ? { shape: 'ok', word: 'connected', bad: false } : { shape: 'wait', word: 'connected, and nothing has come from it yet', bad: false };
    }
  }
}
