import { expect, it } from 'vitest';
import { Frames } from './frames';
import { INERT, Inert } from './inert';

it('applies all that came since the last frame in one pass, then answers', async () => {
  const frames: (() => void)[] = [];
  const applied: number[][] = [];
  const queue = new Frames<number>((items) => applied.push(items), { next: (run) => frames.push(run) });
  const done = [queue.push(1), queue.push(2)];
  expect([applied, frames.length]).toEqual([[], 1]);
  frames.shift()!();
  await Promise.all(done);
  expect(applied).toEqual([[1, 2]]);
  void queue.push(3);
  expect(frames).toHaveLength(1);
});

it('an answer is inert for a while after anything restarts it', () => {
  const inert = new Inert();
  inert.restart(1000);
  expect(inert.isOver(1000 + INERT - 1)).toBe(false);
  inert.restart(1500);
  expect(inert.isOver(1000 + INERT)).toBe(false);
  expect(inert.isOver(1500 + INERT)).toBe(true);
});
