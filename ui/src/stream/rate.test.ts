import { expect, it } from 'vitest';
import { Rate } from './rate';
import { Script } from './testing';

const START = Date.parse('2026-01-17T10:30:00.000Z');

it('counts at once what came in the last minute before the page was loaded', () => {
  const script = new Script();
  const rate = new Rate();
  rate.add(Array.from({ length: 100 }, () => script.event('note')), START + 100_000);
  expect(rate.perMinute(START + 100_000)).toBe(59);
});

it('forgets what is older, and a clock that runs ahead counts as now', () => {
  const rate = new Rate();
  rate.add([new Script().event('note'), new Script().wait(3_600_000).event('note')], START + 1_000);
  expect(rate.perMinute(START + 1_000)).toBe(2);
  expect(rate.perMinute(START + 61_500)).toBe(1);
  expect(rate.perMinute(START + 120_000)).toBe(0);
});
