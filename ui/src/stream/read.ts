// Reads values of unknown shape that agents send. Never throws, never trusts a type; knows nothing of what the fields mean.

export type Fields = Record<string, unknown>;

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The first of the named fields that is a string with something in it. */
export function text(from: Fields, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = from[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** The first of the named fields that is a finite number. */
export function number(from: Fields, ...names: string[]): number | undefined {
  for (const name of names) {
    const value = from[name];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return undefined;
}

/** Ids may be strings or numbers. */
export function id(from: Fields, ...names: string[]): string | undefined {
  const value = text(from, ...names) ?? number(from, ...names);
  return value === undefined ? undefined : String(value);
}

export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** What an error field says: agents send a string, null, or an object with a message. */
export function errorText(value: unknown): string | undefined {
  if (isEmpty(value) || value === false) return undefined;
  if (typeof value === 'string') return value;
  return text(fields(value), 'message', 'error', 'reason') ?? JSON.stringify(value);
}

/** What a failure says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
