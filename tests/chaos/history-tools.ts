export type { Breach, History } from './history.ts';

export function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

export function byId<T>(all: readonly T[], idOf: (one: T) => string): Map<string, T> {
  return new Map(all.map((one) => [idOf(one), one]));
}

/** The fields of a record's value, or undefined where it holds no JSON object. */
export function fieldsOf(value: Buffer | null): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(value?.toString() ?? '');
    return typeof json === 'object' && json !== null ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}
