import { expect, it } from 'vitest';
import type { HubStatus } from '../generated/HubStatus';
import { faultIn, troubles } from './connections';

it('says what is wrong with an upstream before it is sent', () => {
  const upstream = { name: 'lab', dialect: 'sam', url: 'ws://127.0.0.1:8765/' } as const;
  expect(faultIn(upstream, [])).toBe('');
  expect(faultIn({ ...upstream, name: '' }, [])).toContain('name');
  expect(faultIn(upstream, [{ name: 'lab' }])).toContain('already');
  for (const url of ['', 'lab', 'ftp://lab/', 'javascript:alert(1)']) expect(faultIn({ ...upstream, url }, [])).toContain('address');
});

it('counts what needs a look', () => {
  const status = { upstreams: [{ state: 'waiting' }, { state: 'connected' }, { state: 'connecting' }, { state: 'loop' }], webhooks: [{ state: 'dead' }, { state: 'retrying' }, { state: 'ok' }] } as unknown as HubStatus;
  expect([troubles(status), troubles(undefined)]).toEqual([4, 0]);
});
