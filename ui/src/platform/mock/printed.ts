// A call whose result has terminal colours, and all that a result may try with control sequences, for the mock hub.
import type { Step } from './script';

const E = '\u001B[';
const R = `${E}0m`;

const cells = (from: number, count: number, cell: (n: number) => string): string => Array.from({ length: count }, (_, n) => cell(from + n)).join('');

const RESULT = [
  `${E}1m============ test session starts ============${R}`,
  `tests/test_reader.py ${E}32m.....${R}${E}31mF${R} ${E}2m[100%]${R}`,
  `${E}1;31mFAILED${R} tests/test_reader.py::${E}1mtest_semicolons${R} - ${E}38;2;255;140;0mAssertionError${R}`,
  `${E}33m1 warning${R}, ${E}4munderlined${R}, ${E}7m inverse ${R}, ${E}9mstruck${R}, ${E}3mitalic${R}, ${E}2;36mdim cyan${R}`,
  cells(0, 16, (n) => `${E}${n < 8 ? 30 + n : 82 + n}m${n.toString(16)}text${R} `),
  cells(0, 16, (n) => `${E}${n < 8 ? 40 + n : 92 + n}m ${n.toString(16)} ${R}`),
  cells(16, 72, (n) => `${E}38;5;${n}m#${R}`) + cells(232, 24, (n) => `${E}48;5;${n}m ${n} ${R}`),
  `${E}37;47mwhite on white${R} ${E}30;40mblack on black${R} ${E}8mconcealed${E}28m ${E}2J${E}1;1H <b>not bold</b> \u001B]8;;http://example.com\u0007link\u001B]8;;\u0007`,
  `${E}31munended, to the last line`,
].join('\n');

export function printed(): Step[] {
  const who = { agent: 'claude', session: 'api' };
  return [
    { ...who, kind: 'tool_call_start', data: { tool_name: 'Bash', arguments: { command: 'pytest --color=yes' }, context: {} }, after: 0 },
    { ...who, kind: 'tool_call_end', data: { tool_name: 'Bash', success: false, duration: 1.2, error: `${E}31mexit status 1${R}` }, after: 1200 },
    { ...who, kind: 'tool_call_result', data: { tool_name: 'Bash', result: RESULT, truncated: false }, after: 1202 },
  ];
}
