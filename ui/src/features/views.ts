// The views in the order of their tabs and keys.

export const VIEWS = [
  { name: 'live', word: 'Live' },
  { name: 'approvals', word: 'Approvals' },
  { name: 'metrics', word: 'Metrics' },
  { name: 'rules', word: 'Rules' },
  { name: 'connections', word: 'Connections' },
] as const;

export type ViewName = (typeof VIEWS)[number]['name'];
