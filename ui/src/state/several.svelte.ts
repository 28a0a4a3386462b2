// Several requests picked and answered with one press, each as if alone: what is picked, what the summary shows, what came of each.
import type { Approval } from '../generated/Approval';
import type { Verdict } from '../generated/Verdict';
import { plural } from '../stream/words';

/** What came of one of them. `left`: it was not answered and waits on. */
export interface Outcome {
  readonly fate: 'done' | 'elsewhere' | 'left';
  readonly words: string;
}

/** Answers one, and tells what came of it. */
export type Answering = (approval: Approval, decision: Verdict, message: string) => Promise<Outcome>;

export class Several {
  /** Ids. */
  picked = $state.raw<ReadonlySet<string>>(new Set());
  /** What the summary shows, oldest first, as it was when it opened: nothing joins it. Undefined while it is closed. */
  shown = $state.raw<readonly Approval[]>();
  outcomes = $state.raw<ReadonlyMap<string, Outcome>>(new Map());
  /** All went as it was wanted: nothing of the summary is left to be read. */
  clean = $state(false);
  /** Answers are on their way. */
  busy = $state(false);
  private halted = false;

  /** `end`: all that could be was answered, in words. */
  constructor(
    private readonly answering: Answering,
    private readonly end: (words: string, trouble: boolean) => void,
  ) {}

  /** Those of the summary that still wait. */
  get open(): readonly Approval[] {
    return this.shown?.filter(({ id }) => (this.outcomes.get(id)?.fate ?? 'left') === 'left') ?? [];
  }

  toggle(id: string): void {
    const picked = new Set(this.picked);
    if (!picked.delete(id)) picked.add(id);
    this.picked = picked;
  }

  pick(ids: readonly string[]): void {
    this.picked = new Set(ids);
  }

  /** Opens the summary of what is picked. */
  summarise(pending: readonly Approval[]): void {
    const shown = pending.filter(({ id }) => this.picked.has(id));
    if (shown.length === 0) return;
    this.outcomes = new Map();
    this.clean = false;
    this.shown = shown;
  }

  /** Closing answers nothing more: what has not been sent by now is not sent. */
  close(): void {
    this.halted = true;
    this.shown = undefined;
  }

  /** Only these wait now; whoever else is gone was ended by another, `words` say how where that is known. */
  waits(ids: ReadonlySet<string>, words?: string): void {
    if ([...this.picked].some((id) => !ids.has(id))) this.picked = new Set([...this.picked].filter((id) => ids.has(id)));
    if (this.busy) return;
    for (const { id } of this.open) if (!ids.has(id)) this.note(id, { fate: 'elsewhere', words: words ?? 'No longer waits.' });
  }

  /** One after another, oldest first. */
  async answer(decision: Verdict, message: string): Promise<void> {
    const wanted = this.open;
    if (this.busy || wanted.length === 0) return;
    this.busy = true;
    this.halted = false;
    let trouble = false;
    const tally = { done: 0, elsewhere: 0, left: 0 };
    try {
      for (const approval of wanted) {
        const outcome: Outcome = this.halted ? { fate: 'left', words: 'Not answered: the summary was closed.' } : await this.answering(approval, decision, message);
        this.note(approval.id, outcome);
        tally[outcome.fate] += 1;
        trouble ||= outcome.fate !== 'done';
      }
    } finally {
      this.busy = false;
    }
    const parts = [`${plural(tally.done, 'request')} ${decision === 'approve' ? 'approved' : 'denied'}`];
    if (tally.elsewhere > 0) parts.push(`${tally.elsewhere} answered elsewhere`);
    if (tally.left > 0) parts.push(`${tally.left} not answered, still waiting`);
    this.end(`${parts.join(', ')}.`, trouble);
    this.clean = this.shown?.every(({ id }) => this.outcomes.get(id)?.fate === 'done') ?? false;
  }

  private note(id: string, outcome: Outcome): void {
    this.outcomes = new Map(this.outcomes).set(id, outcome);
  }
}
