// An edit as lines taken out, put in and kept. Exact for what it is used for: common lines at both ends, a longest common
// subsequence between where that is cheap, and otherwise all of the old before all of the new.

export interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** Cells of the table beyond which the middle is shown as taken out and put in whole. */
const MOST_CELLS = 250_000;

export function diff(before: string, after: string): Line[] {
  // No text has no lines, not one that is empty; nor has one begun after a last line that ends, unless that is the difference.
  const ended = [before, after].every((text) => text === '' || text.endsWith('\n'));
  const linesOf = (text: string): string[] => (text === '' ? [] : (ended ? text.slice(0, -1) : text).split('\n'));
  const a = linesOf(before);
  const b = linesOf(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const kept = (text: string): Line => ({ sign: ' ', text });
  return [
    ...a.slice(0, head).map(kept),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(kept),
  ];
}

function middle(a: string[], b: string[]): Line[] {
  const out = (text: string): Line => ({ sign: '-', text });
  const put = (text: string): Line => ({ sign: '+', text });
  if (a.length * b.length > MOST_CELLS || a.length === 0 || b.length === 0) return [...a.map(out), ...b.map(put)];
  const width = b.length + 1;
  // common[i * width + j]: length of the longest common subsequence of a[i..] and b[j..].
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] =
        a[i] === b[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i++]! });
      j++;
    } else if (common[(i + 1) * width + j]! >= common[i * width + j + 1]!) lines.push(out(a[i++]!));
    else lines.push(put(b[j++]!));
  }
  return [...lines, ...a.slice(i).map(out), ...b.slice(j).map(put)];
}
