// The browser's live stream: one WebSocket, read at the page's pace, resumed from the last event after every break.
import type { EventRow } from '../generated/EventRow';
import type { Origin } from '../generated/Origin';
import { fields } from '../stream/read';
import type { Batch, StreamReader } from './types';

/** Frames held for a page that is behind. Past it the socket is closed; the hub's log holds the rest. */
const MOST_QUEUED = 20_000;
const MOST_A_BATCH = 2_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

interface Frame {
  type: string;
  timestamp?: unknown;
  data?: unknown;
  seq?: number;
  agent?: string;
  session?: string;
  stream?: string;
  origin?: Origin;
}

export interface Surroundings {
  open(url: string): WebSocket;
  now(): number;
  later(run: () => void, ms: number): () => void;
}

export const page: Surroundings = {
  open: (url) => new WebSocket(url),
  now: () => Date.now(),
  later: (run, ms) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class LiveSocket {
  private socket: WebSocket | undefined;
  private queue: string[] = [];
  private pumping = false;
  private ended = false;
  /** Closed by us until the page has caught up. */
  private full = false;
  private tries = 0;
  private epoch: string;
  private last: number;
  private cancelRetry: () => void = () => undefined;

  constructor(
    private readonly base: string,
    since: string,
    private readonly reader: StreamReader,
    private readonly around: Surroundings = page,
  ) {
    const colon = since.lastIndexOf(':');
    this.epoch = since.slice(0, Math.max(0, colon));
    this.last = Number(since.slice(colon + 1));
    this.connect();
  }

  end(): void {
    this.ended = true;
    this.cancelRetry();
    this.socket?.close();
  }

  private connect(): void {
    if (this.ended) return;
    this.full = false;
    const since = this.epoch === '' ? String(this.last) : `${this.epoch}:${this.last}`;
    const socket = this.around.open(`${this.base}/?since=${encodeURIComponent(since)}&types=*&origin=1`);
    this.socket = socket;
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (socket !== this.socket || typeof data !== 'string') return;
      this.queue.push(data);
      if (this.queue.length >= MOST_QUEUED) {
        this.full = true;
        this.socket = undefined;
        socket.close();
      }
      void this.pump();
    };
    socket.onclose = () => {
      if (socket !== this.socket || this.ended) return;
      this.socket = undefined;
      this.reader.closed('The connection to the hub is lost.');
      const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.tries++);
      // What arrived before the break is taken in first, so that the place to resume from is right.
      this.cancelRetry = this.around.later(() => this.reconnect(), wait);
    };
  }

  private reconnect(): void {
    if (this.pumping) this.cancelRetry = this.around.later(() => this.reconnect(), FIRST_RETRY_MS);
    else this.connect();
  }

  private async pump(): Promise<void> {
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.queue.length > 0 && !this.ended) {
        const taken = this.queue.slice(0, MOST_A_BATCH);
        this.queue = this.queue.slice(taken.length);
        for (const batch of this.decode(taken)) await this.reader.batch(batch);
      }
    } finally {
      this.pumping = false;
    }
    if (this.full) this.connect();
  }

  /** Batches in order; a notice of lost history ends one and opens the next. */
  private decode(texts: string[]): Batch[] {
    const batches: Batch[] = [];
    let events: EventRow[] = [];
    let from = this.last;
    const flush = (lost?: Batch['lost']): void => {
      if (events.length > 0 || lost) batches.push({ epoch: this.epoch, from, to: this.last, events, ...(lost ? { lost } : {}) });
      events = [];
      from = this.last;
    };
    for (const text of texts) {
      let frame: Frame;
      try {
        frame = JSON.parse(text) as Frame;
      } catch {
        continue;
      }
      if (typeof frame !== 'object' || frame === null || typeof frame.type !== 'string') continue;
      const data = fields(frame.data);
      if (frame.seq === undefined && frame.type === 'hello') {
        this.tries = 0;
        this.epoch = String(data['epoch']);
        this.reader.opened({ epoch: this.epoch, head: Number(data['head']) });
      } else if (frame.seq === undefined && frame.type === 'history_lost') {
        flush();
        this.epoch = String(data['epoch']);
        this.last = Number(data['head']);
        flush({ oldest: Number(data['oldest']), head: this.last });
      } else if (typeof frame.seq === 'number' && frame.seq > this.last) {
        this.last = frame.seq;
        events.push(this.row(frame, frame.seq, data));
      }
    }
    flush();
    return batches;
  }

  private row(frame: Frame, seq: number, data: Record<string, unknown>): EventRow {
    const given = typeof frame.timestamp === 'string' ? Date.parse(frame.timestamp) : NaN;
    const row: EventRow = {
      seq,
      id: `${this.epoch}:${seq}`,
      time: new Date(Number.isNaN(given) ? this.around.now() : given).toISOString(),
      origin: frame.origin ?? ('' as Origin),
      agent: frame.agent ?? 'unknown',
      kind: frame.type,
      type: frame.type,
      timestamp: frame.timestamp,
      data,
    };
    return { ...row, ...(frame.session === undefined ? {} : { session: frame.session }), ...(frame.stream === undefined ? {} : { stream: frame.stream }) };
  }
}
