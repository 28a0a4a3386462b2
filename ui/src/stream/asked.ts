// What a request asks of a person: whether a call may run, whether a plan is good, or questions of the agent's own; and the
// arguments that carry the answers to those. The two tools are Claude Code's, as of its tool schemas (sdk-tools.d.ts of 2.1).
import { fields, text } from './read';

export interface Option {
  readonly label: string;
  readonly description: string | undefined;
  readonly preview: string | undefined;
}

export interface Question {
  /** The whole question, by which its answer is named. */
  readonly question: string;
  readonly header: string | undefined;
  readonly options: readonly Option[];
  /** Any number of the options may be chosen. */
  readonly several: boolean;
}

export type Asked =
  | { readonly shape: 'call' }
  | { readonly shape: 'plan'; readonly plan: string; readonly rest: Record<string, unknown> }
  | { readonly shape: 'questions'; readonly questions: readonly Question[]; readonly rest: Record<string, unknown> };

/** What was chosen for one question. */
export interface Choice {
  readonly labels: readonly string[];
  /** In the person's own words, beside or instead of the options. */
  readonly other: string;
}

export const NOTHING: Choice = { labels: [], other: '' };

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function optionOf(value: unknown): Option | undefined {
  const from = fields(value);
  const label = text(from, 'label');
  return label === undefined ? undefined : { label, description: text(from, 'description'), preview: text(from, 'preview') };
}

function questionOf(value: unknown): Question | undefined {
  const from = fields(value);
  const question = text(from, 'question');
  const options = list(from['options']).map(optionOf);
  if (question === undefined || options.includes(undefined)) return undefined;
  return { question, header: text(from, 'header'), options: options as Option[], several: from['multiSelect'] === true };
}

/** Arguments that do not have the shape of the tool's are shown as any call's. */
export function askedBy(tool: string, args: unknown): Asked {
  const from = fields(args);
  if (tool === 'ExitPlanMode') {
    const { plan, ...rest } = from;
    if (typeof plan === 'string' && plan.trim() !== '') return { shape: 'plan', plan, rest };
  }
  if (tool === 'AskUserQuestion') {
    const { questions, ...rest } = from;
    const read = list(questions).map(questionOf);
    const names = new Set(read.map((question) => question?.question));
    // Answers are named by their question: two of the same name could not be told apart.
    if (read.length > 0 && !read.includes(undefined) && names.size === read.length) return { shape: 'questions', questions: read as Question[], rest };
  }
  return { shape: 'call' };
}

/** One answer as the tool takes it: the label, or the words; several with a comma between them. */
export function wordsOf(question: Question, { labels, other }: Choice): string {
  const chosen = question.options.map(({ label }) => label).filter((label) => labels.includes(label));
  const own = other.trim();
  if (!question.several) return own === '' ? (chosen[0] ?? '') : own;
  return [...chosen, ...(own === '' ? [] : [own])].join(', ');
}

/** The questions that have no answer yet. */
export function unanswered(questions: readonly Question[], choices: ReadonlyMap<string, Choice>): readonly Question[] {
  return questions.filter((question) => wordsOf(question, choices.get(question.question) ?? NOTHING) === '');
}

/** The same arguments with the answers in them, or nothing while a question has none. */
export function answered(args: unknown, questions: readonly Question[], choices: ReadonlyMap<string, Choice>): Record<string, unknown> | undefined {
  if (unanswered(questions, choices).length > 0) return undefined;
  const answers = questions.map((question) => [question.question, wordsOf(question, choices.get(question.question) ?? NOTHING)] as const);
  return { ...fields(args), answers: Object.fromEntries(answers) };
}
