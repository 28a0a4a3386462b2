import { expect, it } from 'vitest';
import { answered, askedBy, unanswered, wordsOf, type Choice, type Question } from './asked';

const ARGS = {
  questions: [
    { question: 'Which database?', header: 'Database', multiSelect: false, options: [{ label: 'SQLite', description: 'One file' }, { label: 'Postgres', description: 'A server' }] },
    { question: 'Which parts?', header: 'Parts', multiSelect: true, options: [{ label: 'API', description: 'a' }, { label: 'UI', description: 'b' }, { label: 'Docs', description: 'c' }] },
  ],
};

function questions(args: unknown = ARGS): readonly Question[] {
  const asked = askedBy('AskUserQuestion', args);
  if (asked.shape !== 'questions') throw new Error(`read as ${asked.shape}`);
  return asked.questions;
}

const chosen = (...of: [string, string[], string?][]): ReadonlyMap<string, Choice> => new Map(of.map(([name, labels, other = '']) => [name, { labels, other }]));

it('reads the questions of the tool with their options', () => {
  expect(questions().map(({ header, several, options }) => [header, several, options.length])).toEqual([['Database', false, 2], ['Parts', true, 3]]);
});

it('shows arguments of another shape as a call', () => {
  const twice = { questions: [ARGS.questions[0], ARGS.questions[0]] };
  for (const args of [{}, { questions: [] }, { questions: 'x' }, { questions: [{ question: 'a', options: [{}] }] }, twice]) expect(askedBy('AskUserQuestion', args).shape).toBe('call');
  expect(askedBy('ExitPlanMode', { plan: ' ' }).shape).toBe('call');
  expect(askedBy('Bash', ARGS).shape).toBe('call');
});

it('reads a plan and keeps what else is said', () => {
  expect(askedBy('ExitPlanMode', { plan: '# Do it', allowedPrompts: [] })).toEqual({ shape: 'plan', plan: '# Do it', rest: { allowedPrompts: [] } });
});

it('answers with labels in the order in which they were offered, or in other words', () => {
  const [one, many] = questions() as [Question, Question];
  expect(wordsOf(one, { labels: ['Postgres'], other: '' })).toBe('Postgres');
  expect(wordsOf(one, { labels: ['Postgres'], other: ' a flat file ' })).toBe('a flat file');
  expect(wordsOf(many, { labels: ['Docs', 'API'], other: 'tests' })).toBe('API, Docs, tests');
  expect(wordsOf(many, { labels: ['not offered'], other: '' })).toBe('');
});

it('sends the arguments as they came with every answer, and nothing while one is missing', () => {
  const some = chosen(['Which database?', ['SQLite']]);
  expect(answered(ARGS, questions(), some)).toBeUndefined();
  expect(unanswered(questions(), some).map(({ header }) => header)).toEqual(['Parts']);
  const all = chosen(['Which database?', ['SQLite']], ['Which parts?', ['UI', 'API']]);
  expect(answered(ARGS, questions(), all)).toEqual({ ...ARGS, answers: { 'Which database?': 'SQLite', 'Which parts?': 'API, UI' } });
});

it('takes a question by any name, even one that objects have of their own', () => {
  const args = { questions: [{ question: '__proto__', header: 'x', multiSelect: false, options: [{ label: 'constructor', description: '' }] }] };
  const sent = answered(args, questions(args), chosen(['__proto__', ['constructor']]));
  expect(JSON.stringify(sent?.['answers'])).toBe('{"__proto__":"constructor"}');
});
