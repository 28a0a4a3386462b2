// The hub's figures about a stretch of time, read from AMIGA's `metrics_update` or its `overview` (seed 001). Never trusts a shape.
import { fields, number, text, type Fields } from './read';

/** Hours that a stretch of time may have. */
export const HOURS = { least: 1, most: 168 } as const;

export interface ModelFigures {
  readonly model: string;
  readonly requests: number;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** US dollars. */
  readonly cost: number;
  /** The cost comes from a table of prices. */
  readonly estimated: boolean;
}

export interface Metrics {
  readonly tasks: { readonly total: number; readonly running: number; readonly completed: number; readonly failed: number };
  readonly cost: number;
  readonly estimatedCost: number;
  /** Requests that nobody has a price for. */
  readonly unpriced: number;
  readonly requests: number;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** The most expensive first. */
  readonly models: readonly ModelFigures[];
  readonly calls: number;
  /** The most called first. */
  readonly tools: readonly { readonly tool: string; readonly calls: number }[];
  /** Not part of an `overview`. */
  readonly sessions: number | undefined;
  /** Newest first; not part of an `overview`. */
  readonly activity: readonly { readonly description: string; readonly time: number }[] | undefined;
}

const figure = (from: Fields, name: string): number => Math.max(0, number(from, name) ?? 0);

function modelOf(model: string, value: unknown): ModelFigures {
  const from = fields(value);
  return {
    model,
    requests: figure(from, 'requests'),
    input: figure(from, 'input_tokens'),
    output: figure(from, 'output_tokens'),
    cacheRead: figure(from, 'cache_read_tokens'),
    cacheWrite: figure(from, 'cache_write_tokens'),
    cost: figure(from, 'cost'),
    estimated: from['estimated'] === true,
  };
}

/** Models that only the costs name, as an older server has them. */
function modelsOf(api: Fields, costs: Fields): ModelFigures[] {
  const known = fields(api['by_model']);
  const priced = fields(costs['by_model']);
  const names = new Set([...Object.keys(known), ...Object.keys(priced)]);
  const models = [...names].map((name) => (name in known ? modelOf(name, known[name]) : modelOf(name, { cost: priced[name] })));
  return models.sort((a, b) => b.cost - a.cost || b.requests - a.requests || (a.model < b.model ? -1 : 1));
}

function activityOf(items: unknown): Metrics['activity'] {
  if (!Array.isArray(items)) return undefined;
  return items.flatMap((item) => {
    const description = text(fields(item), 'description');
    const seconds = number(fields(item), 'timestamp');
    return description === undefined || seconds === undefined ? [] : [{ description, time: seconds * 1000 }];
  });
}

/** From a whole `metrics_update`, or from an `overview` alone. */
export function readMetrics(value: unknown): Metrics {
  const update = fields(value);
  const overview = 'overview' in update ? fields(update['overview']) : update;
  const [tasks, costs, api, tools] = ['tasks', 'costs', 'claude_api', 'tools'].map((name) => fields(overview[name])) as [Fields, Fields, Fields, Fields];
  const byType = Object.entries(fields(tools['by_type'])).flatMap(([tool, calls]) => (typeof calls === 'number' ? [{ tool, calls }] : []));
  const sessions = fields(update['sessions']);
  return {
    tasks: { total: figure(tasks, 'total'), running: figure(tasks, 'running'), completed: figure(tasks, 'completed'), failed: figure(tasks, 'failed') },
    cost: figure(costs, 'total_cost'),
    estimatedCost: figure(costs, 'estimated_cost'),
    unpriced: figure(api, 'unpriced_requests'),
    requests: figure(api, 'total_requests'),
    input: figure(api, 'total_input_tokens'),
    output: figure(api, 'total_output_tokens'),
    cacheRead: figure(api, 'total_cache_read_tokens'),
    cacheWrite: figure(api, 'total_cache_write_tokens'),
    models: modelsOf(api, costs),
    calls: figure(tools, 'total_calls'),
    tools: byType.sort((a, b) => b.calls - a.calls || (a.tool < b.tool ? -1 : 1)),
    sessions: number(sessions, 'total_sessions'),
    activity: activityOf(update['activity']),
  };
}

/** A whole number of hours that the hub counts; undefined for anything else. */
export function hoursOf(said: string): number | undefined {
  const hours = /^\d+$/.test(said.trim()) ? Number(said) : NaN;
  return hours >= HOURS.least && hours <= HOURS.most ? hours : undefined;
}
