import { expect, it } from 'vitest';
import { LiveSocket, type Surroundings } from './live';
import type { Batch } from './types';

class FakeSocket {
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onclose: (() => void) | undefined;
  closed = false;
  constructor(readonly url: string) {}
  close(): void {
    this.closed = true;
  }
  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

function setUp(take: (batch: Batch) => Promise<void> = () => Promise.resolve()) {
  const sockets: FakeSocket[] = [];
  const batches: Batch[] = [];
  const notes: string[] = [];
  let retry: (() => void) | undefined;
  const around = {
    open: (url: string) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket;
    },
    now: () => 0,
    later: (run: () => void) => {
      retry = run;
      return () => (retry = undefined);
    },
  } as unknown as Surroundings;
  new LiveSocket(
    'ws://h',
    'e1:5',
    {
      opened: ({ epoch, head }) => notes.push(`opened ${epoch} ${head}`),
      closed: () => notes.push('closed'),
      batch: async (batch) => {
        batches.push(batch);
        await take(batch);
      },
    },
    around,
  );
  return { sockets, batches, notes, retry: () => retry?.(), settled: () => new Promise((done) => setTimeout(done, 0)) };
}

const event = (seq: number, more: object = {}) => ({ type: 'note', timestamp: '2026-01-17T10:30:00.000Z', data: {}, seq, agent: 'a', ...more });

it('asks for what comes after its place, and turns frames into rows', async () => {
  const { sockets, batches, notes, settled } = setUp();
  expect(sockets[0]!.url).toBe('ws://h/?since=e1%3A5&types=*&origin=1');
  sockets[0]!.say({ type: 'hello', data: { epoch: 'e1', head: 6 } });
  sockets[0]!.say(event(6, { session: 's' }));
  await settled();
  expect(notes).toEqual(['opened e1 6']);
  expect(batches.flatMap((batch) => batch.events)).toMatchObject([{ seq: 6, id: 'e1:6', kind: 'note', session: 's', time: '2026-01-17T10:30:00.000Z' }]);
});

it('resumes after a break from the last event, and passes over what it has', async () => {
  const { sockets, batches, notes, retry, settled } = setUp();
  sockets[0]!.say(event(6));
  await settled();
  sockets[0]!.onclose?.();
  expect(notes).toEqual(['closed']);
  retry();
  expect(sockets[1]!.url).toContain('since=e1%3A6');
  sockets[1]!.say(event(6));
  sockets[1]!.say(event(7));
  await settled();
  expect(batches.flatMap((batch) => batch.events.map((row) => row.seq))).toEqual([6, 7]);
});

it('says that history was lost, and goes on in the new epoch', async () => {
  const { sockets, batches, settled, retry } = setUp();
  sockets[0]!.say({ type: 'history_lost', data: { epoch: 'e2', oldest: 10, head: 20 } });
  sockets[0]!.say(event(21));
  await settled();
  expect(batches.map((batch) => [batch.epoch, batch.lost?.head, batch.events.length])).toEqual([
    ['e2', 20, 0],
    ['e2', undefined, 1],
  ]);
  sockets[0]!.onclose?.();
  retry();
  expect(sockets[1]!.url).toContain('since=e2%3A21');
});

it('never holds more than its bound for a page that is behind: it closes, and resumes when caught up', async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((done) => (release = done));
  const { sockets, batches, settled } = setUp(() => gate);
  for (let seq = 6; seq < 30_000; seq++) {
    if (!sockets[0]!.closed) sockets[0]!.say(event(seq));
  }
  expect(sockets[0]!.closed).toBe(true);
  release();
  for (let n = 0; n < 20; n++) await settled();
  const seen = batches.flatMap((batch) => batch.events.map((row) => row.seq));
  expect(sockets).toHaveLength(2);
  expect(sockets[1]!.url).toContain(`since=e1%3A${seen.at(-1)}`);
  expect(seen.length).toBeLessThan(21_000);
});

it('is not put off by frames that are not events', async () => {
  const { sockets, batches, settled } = setUp();
  sockets[0]!.onmessage?.({ data: '{' });
  sockets[0]!.onmessage?.({ data: 'null' });
  sockets[0]!.onmessage?.({ data: new ArrayBuffer(2) });
  sockets[0]!.say({ type: 'note', seq: 6 });
  await settled();
  expect(batches.flatMap((batch) => batch.events)).toHaveLength(1);
});
