// Applies what arrives at most once a frame, however it arrives, and answers when it has been applied.

export interface Clock {
  /** Calls back at the next frame, or soon when no frames come (a hidden page). Called once. */
  next(run: () => void): void;
}

/** Frames of a visible page, a timer for a hidden one. */
export const pageClock: Clock = {
  next(run) {
    let done = false;
    const once = (): void => {
      if (done) return;
      done = true;
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      run();
    };
    const frame = requestAnimationFrame(once);
    const timer = setTimeout(once, 120);
  },
};

export class Frames<T> {
  private waiting: { item: T; done: () => void }[] = [];

  constructor(
    private readonly apply: (items: T[]) => void,
    private readonly clock: Clock = pageClock,
  ) {}

  /** Resolves after the frame that applied it. */
  push(item: T): Promise<void> {
    return new Promise((done) => {
      this.waiting.push({ item, done });
      if (this.waiting.length === 1) this.clock.next(() => this.flush());
    });
  }

  private flush(): void {
    const taken = this.waiting;
    this.waiting = [];
    try {
      this.apply(taken.map(({ item }) => item));
    } finally {
      for (const { done } of taken) done();
    }
  }
}
