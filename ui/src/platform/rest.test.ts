import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Rest } from './rest';
import { PlatformError } from './types';

let kept: Map<string, string>;
let asked: { path: string; init: RequestInit }[];

function answer(status: number, body: unknown): void {
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    asked.push({ path, init });
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
}

beforeEach(() => {
  kept = new Map();
  asked = [];
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
});

afterEach(() => vi.unstubAllGlobals());

async function failure(run: Promise<unknown>): Promise<PlatformError> {
  return run.then(
    () => expect.unreachable('it worked'),
    (error: unknown) => error as PlatformError,
  );
}

it('trades a code for a bearer, and sends it from then on', async () => {
  const rest = new Rest();
  answer(200, { token: 't1' });
  await rest.exchange('c1');
  expect(rest.mayAnswer).toBe(true);
  answer(200, { id: 'a' });
  await rest.decide('a/b', { decision: 'deny' });
  expect(asked.at(-1)).toMatchObject({ path: '/api/approvals/a%2Fb/decision', init: { method: 'POST', body: '{"decision":"deny"}', headers: { Authorization: 'Bearer t1' } } });
});

it('a used code leaves the page a reader', async () => {
  const rest = new Rest();
  answer(403, { title: 'Forbidden', detail: 'the code was used' });
  expect(await failure(rest.exchange('c1'))).toMatchObject({ code: 'forbidden', message: 'the code was used' });
  expect(rest.mayAnswer).toBe(false);
});

it('a bearer that is refused is let go of, and the page is told', async () => {
  kept.set('countersign.token', 'old');
  const rest = new Rest();
  let told = 0;
  rest.onRight = () => told++;
  answer(401, { title: 'Unauthorized' });
  await failure(rest.decide('a', { decision: 'approve' }));
  expect([rest.mayAnswer, told]).toEqual([false, 1]);
});

it('a conflict brings the decision that was first', async () => {
  answer(409, { title: 'Conflict', approval: { id: 'a', status: 'approved' } });
  expect(await failure(new Rest().decide('a', { decision: 'deny' }))).toMatchObject({ code: 'resolved', approval: { status: 'approved' } });
});

it('a hub that is away is unreachable, and what it cannot spell is no crash', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
  expect(await failure(new Rest().status())).toMatchObject({ code: 'unreachable' });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502 })));
  expect(await failure(new Rest().status())).toMatchObject({ code: 'failed', message: 'The hub answered 502.' });
});

it('reads a page of history', async () => {
  answer(200, { events: [{ seq: 3 }], next: '3' });
  expect(await new Rest().history({ since: 2, until: 9, limit: 1 })).toEqual({ events: [{ seq: 3 }], next: 3 });
  expect(asked[0]!.path).toBe('/api/events?limit=1&since=2&until=9');
});
