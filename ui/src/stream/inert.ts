// The moment in which an answer answers nothing: after a request appeared, the window got the focus, or keys were typed
// that were meant for something else. Plain arithmetic; the caller brings the clock.

/** Milliseconds. */
export const INERT = 800;

export class Inert {
  private until = 0;

  /** Starts the moment anew. */
  restart(now: number): void {
    this.until = Math.max(this.until, now + INERT);
  }

  isOver(now: number): boolean {
    return now >= this.until;
  }

  left(now: number): number {
    return Math.max(0, this.until - now);
  }
}
