// What a person has put together to answer one request, and not sent yet: a note, permissions to keep, other arguments, choices.
import type { Approval } from '../generated/Approval';
import { answered, askedBy, NOTHING, type Asked, type Choice } from '../stream/asked';

export class Reply {
  note = $state('');
  /** Places in the request's `grants`. */
  granted = $state.raw<ReadonlySet<number>>(new Set());
  /** By question. */
  choices = $state.raw<ReadonlyMap<string, Choice>>(new Map());
  readonly asked: Asked;

  constructor(readonly approval: Approval) {
    this.asked = askedBy(approval.tool_name, approval.arguments);
  }

  /** Places in order, as an answer names them. */
  get grants(): number[] {
    return [...this.granted].sort((a, b) => a - b);
  }

  grant(place: number): void {
    const granted = new Set(this.granted);
    if (!granted.delete(place)) granted.add(place);
    this.granted = granted;
  }

  choiceOf(question: string): Choice {
    return this.choices.get(question) ?? NOTHING;
  }

  /** Picks an option, or lets go of one of several. */
  pick(question: string, label: string, several: boolean): void {
    const { labels, other } = this.choiceOf(question);
    const now = several ? (labels.includes(label) ? labels.filter((known) => known !== label) : [...labels, label]) : [label];
    // One answer is either an option or the person's own words.
    this.choices = new Map(this.choices).set(question, { labels: now, other: several ? other : '' });
  }

  say(question: string, other: string, several: boolean): void {
    const { labels } = this.choiceOf(question);
    this.choices = new Map(this.choices).set(question, { labels: several || other.trim() === '' ? labels : [], other });
  }

  /** The arguments that carry the answers to the agent's own questions; nothing while one has none. */
  get answers(): Record<string, unknown> | undefined {
    return this.asked.shape === 'questions' ? answered(this.approval.arguments, this.asked.questions, this.choices) : undefined;
  }
}
