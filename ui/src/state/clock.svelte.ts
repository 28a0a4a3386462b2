// One ticking clock for everything that shows a running time, so that no row needs a timer of its own.

const TICK_MS = 250;

class PageClock {
  /** Milliseconds since 1970, renewed four times a second while the page is visible. */
  now = $state(Date.now());

  constructor() {
    setInterval(() => {
      if (document.visibilityState === 'visible') this.now = Date.now();
    }, TICK_MS);
  }
}

export const clockNow = new PageClock();
