// Times, durations, sizes and counts as a person reads them. Pure; the caller brings the clock.

const two = (n: number): string => String(n).padStart(2, '0');

function day(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `10:30:01.204` in local time; another day's is `01-16 10:30:01`. */
export function clock(ms: number, now: number): string {
  if (!Number.isFinite(ms)) return '--:--:--';
  const date = new Date(ms);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (day(date) !== day(new Date(now))) return `${day(date).slice(5)} ${time}`;
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** `2026-01-17 10:30:01.204`, for titles and details. */
export function fullClock(ms: number): string {
  if (!Number.isFinite(ms)) return 'at an unknown time';
  const date = new Date(ms);
  return `${day(date)} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** `8 ms`, `0.52 s`, `12.3 s`, `2 min 05 s`, `3 h 12 min`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '';
  const whole = Math.max(0, ms);
  if (whole < 100) return `${Math.round(whole)} ms`;
  if (whole < 9_995) return `${(whole / 1000).toFixed(2)} s`;
  if (whole < 59_950) return `${(whole / 1000).toFixed(1)} s`;
  const seconds = Math.round(whole / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

/** Time in a state, without decimals that flicker: `now`, `12 s`, `5 min`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `2:05` left, `1:02:05` from an hour up. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `812 B`, `12 kB`, `1.2 GB`. */
export function bytes(count: number): string {
  let value = count;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 1000) return `${value < 10 && unit !== 'B' ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

/** `3,400`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** US dollars: `$12.45`, `$0.0042`; never rounded to nothing. */
export function money(value: number): string {
  if (value === 0) return '$0';
  if (Math.abs(value) >= 0.995) return `$${value.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',')}`;
  return Math.abs(value) < 0.0001 ? 'under $0.0001' : `$${Number(value.toPrecision(2)).toFixed(4).replace(/0{1,2}$/, '')}`;
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** With a capital where it begins with a word, not with a name, a path or a command. */
export function sentence(words: string): string {
  return /^[a-z]+ /.test(words) && !/^(countersign|claude|codex) /.test(words) ? words.charAt(0).toUpperCase() + words.slice(1) : words;
}

/** What stands in backticks. */
export function commandsIn(words: string): string[] {
  return words.split('`').filter((_, n) => n % 2 === 1);
}

const SURFACES: Readonly<Record<string, string>> = { dialog: 'the dialog', window: 'the window', tray: 'the tray', rest: 'a browser or program', socket: 'a client', hub: 'Countersign' };

/** Who answered, by where it was done. */
export function surface(by: string | undefined): string {
  return by === undefined ? 'somebody' : (SURFACES[by] ?? by);
}
