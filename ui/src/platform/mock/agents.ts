// Agents of a machine that is not there, for the mock.
import type { Connection } from '../../generated/Connection';
import type { ConnectionChange } from '../../generated/ConnectionChange';
import type { Finding } from '../../generated/Finding';
import type { ConnectWish } from '../connections';

const CLAUDE = '/home/ada/.claude/settings.json';
const CODEX = '/home/ada/.codex/hooks.json';
const PROGRAM = '/usr/bin/countersign';

export const agents = (state: 'fresh' | 'connected' | 'failing'): Connection[] => {
  const failing = state === 'failing';
  return [
    {
      agent: 'claude-code',
      title: 'Claude Code',
      program: '/home/ada/.local/bin/claude',
      version: '2.1.197',
      state: failing ? 'partly' : state === 'fresh' ? 'none' : 'connected',
      file: CLAUDE,
      telemetry: state === 'connected',
      findings: failing
        ? [
            { check: 'other-path', state: 'warn', what: 'the settings run another Countersign: /opt/old/countersign', do: `Connect again to run ${PROGRAM}: \`countersign connect claude-code\`.` },
            { check: 'hooks-off', state: 'fail', what: '"disableAllHooks": true switches all hooks off', do: 'Take that line out of the settings.' },
          ]
        : [],
    },
    failing
      ? { agent: 'codex', title: 'Codex', state: 'unreadable', file: CODEX, telemetry: false, findings: [{ check: 'settings', state: 'fail', what: `${CODEX} was left alone. line 4, column 3: expected a comma`, do: 'Put the file right, by hand or from a backup, and connect again.' }] }
      : { agent: 'codex', title: 'Codex', program: '/usr/local/bin/codex', version: '0.169.0', state: 'none', file: CODEX, telemetry: false, findings: [] },
  ];
};

/** What connecting or disconnecting changes, and how the agent stands then. */
export function change(agent: Connection, wish: ConnectWish | 'off'): { readonly change: ConnectionChange; readonly then: Connection } {
  const off = wish === 'off';
  const events = ['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PermissionRequest', 'PostToolUse', 'Stop'];
  const lines = events.map((event) => `    "${event}": [ { "hooks": [{ "type": "command", "command": "${PROGRAM} hook ${agent.agent}", "timeout": 10 }] } ],`);
  const block = ['  "hooks": {', ...lines, '  }'];
  const same = !off && agent.state === 'connected' && (wish.telemetry ?? agent.telemetry) === agent.telemetry && wish.when_absent === agent.when_absent;
  const diff = [`--- ${agent.file}`, `+++ ${agent.file}`, '@@ -1,3 +1,11 @@', ' {', '   "model": "opus",', ...block.map((line) => `${off ? '-' : '+'}${line}`), ' }', ''].join('\n');
  return {
    change: { agent: agent.agent, done: off || wish.dry_run !== true, files: same ? [] : [{ file: agent.file, diff }], findings: [] },
    then: {
      ...agent,
      state: off ? 'none' : 'connected',
      telemetry: off ? false : (wish.telemetry ?? agent.telemetry),
      ...(off || wish.when_absent === undefined ? {} : { when_absent: wish.when_absent }),
      findings: [],
    },
  };
}

export const findings = (agent: Connection): Finding[] => [
  { check: 'agent', state: 'ok', what: `${agent.title} is ${agent.program ?? 'not there'}` },
  { check: 'settings', state: 'ok', what: `${agent.file} has all hooks` },
  { check: 'hub', state: 'ok', what: 'the hub answers at http://127.0.0.1:8765' },
  { check: 'probe', state: 'ok', what: "a probe event arrived in the hub's log" },
  ...(agent.agent === 'codex' ? [{ check: 'trust', state: 'fail', what: 'Codex does not trust 12 of 12 hooks yet, and skips them silently', do: "Start codex, type /hooks, look at Countersign's and trust them." } as const] : []),
];
