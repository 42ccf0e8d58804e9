import { isDeepStrictEqual } from 'node:util';
import type { Compared } from './composed-graph.ts';
import type { Outcome } from './merged-graph.ts';

/** A difference between the gateway and graphql-js. */
export interface Difference {
  /** What differs. Shrinking keeps it. */
  readonly kind:
    | 'crash'
    | 'violation'
    | 'data'
    | 'order'
    | 'silent null'
    | 'false error'
    | 'error path'
    | 'fuzzer'
    | 'mutations';
  readonly details: string;
}

export type Verdict =
  | { readonly is: 'equal' }
  | { readonly is: 'refused'; readonly reason: string }
  | { readonly is: 'different'; readonly difference: Difference };

const NO_PLAN = 'The gateway cannot plan this operation';

/** Compares both executions of an operation. */
export function compareOutcomes(compared: Compared, required: ReadonlySet<string>): Verdict {
  const { expected, actual, merged, federated, requests } = compared;
  const different = (kind: Difference['kind'], details: string): Verdict => ({
    is: 'different',
    difference: { kind, details },
  });
  if (actual instanceof Error) return different('crash', actual.stack ?? actual.message);
  const odd = expected
    .flatMap(({ errors }) => errors)
    .find(({ message }) => !/ fails$/.test(message));
  if (odd) return different('fuzzer', `graphql-js answers: ${odd.message}`);
  const [violation] = federated.violations;
  if (violation !== undefined) return different('violation', violation);
  const [first] = actual;
  const refusal = first?.errors[0]?.message;
  // Without a plan, an operation is refused even if a failed field would make its data null.
  const isRefusal = expected[0]?.data !== null || refusal?.startsWith(NO_PLAN);
  if (requests === 0 && first?.data === null && refusal && isRefusal) {
    return { is: 'refused', reason: refusal };
  }
  if (!isDeepStrictEqual(merged.mutations, federated.mutations)) {
    const [wanted, seen] = [merged.mutations.join(' '), federated.mutations.join(' ')];
    return different('mutations', `expected ${wanted}, got ${seen}`);
  }
  const needed = [...federated.failed].some((name) => required.has(name.split('.')[1] ?? ''));
  for (const [index, wanted] of expected.entries()) {
    const difference = compareOutcome(wanted, actual[index], needed);
    if (difference) return { is: 'different', difference };
  }
  return { is: 'equal' };
}

/** @param failsHidden whether a field failed that the client may not have selected */
function compareOutcome(
  expected: Outcome,
  actual: Outcome | undefined,
  failsHidden: boolean,
): Difference | undefined {
  const errors = actual?.errors ?? [];
  const shown = errors.map(({ message, path }) => `${message} at ${path?.join('.')}`).join('\n');
  if (actual?.hasNullPart) {
    // A failed value makes the deferred fragment null, and without `@defer` the object around it.
    if (expected.errors.length > 0 && errors.length > 0) return undefined;
    return { kind: 'silent null', details: `a deferred part is null\n${shown}` };
  }
  if (!isDeepStrictEqual(expected.data, actual?.data)) {
    return { kind: 'data', details: `${firstDifference(expected.data, actual?.data)}\n${shown}` };
  }
  if (JSON.stringify(expected.data) !== JSON.stringify(actual?.data)) {
    return { kind: 'order', details: JSON.stringify(actual?.data) };
  }
  const [seen, wanted] = [nullsOf(actual), nullsOf(expected)];
  if (wanted.size > 0 && seen.size === 0) {
    return { kind: 'silent null', details: `no error for ${[...wanted].join(', ')}` };
  }
  if (failsHidden) return undefined;
  if (wanted.size === 0 && seen.size > 0) return { kind: 'false error', details: shown };
  const wrong = [...seen].filter((path) => !wanted.has(path));
  const missing = [...wanted].filter((path) => !seen.has(path));
  if (wrong.length === 0 && missing.length === 0) return undefined;
  return {
    kind: 'error path',
    details: `missing ${missing.join(' ')}; wrong ${wrong.join(' ')}\n${shown}`,
  };
}

/**
 * The places that errors have made null. Executions may report different errors for one of them, if
 * several non-null values inside fail.
 */
function nullsOf(outcome: Outcome | undefined): Set<string> {
  return new Set(
    outcome?.errors.map(({ path }) => JSON.stringify(path ? nullAt(outcome.data, path) : 'none')),
  );
}

function nullAt(data: unknown, path: readonly unknown[]): readonly unknown[] {
  let value = data;
  for (const [index, part] of path.entries()) {
    if (value === null || typeof value !== 'object') return path.slice(0, index);
    value = (value as Record<string, unknown>)[String(part)];
  }
  return path;
}
function firstDifference(expected: unknown, actual: unknown, path = 'data'): string {
  const areObjects = [expected, actual].every((one) => typeof one === 'object' && one !== null);
  if (areObjects) {
    const [wanted, seen] = [expected, actual] as [Record<string, unknown>, Record<string, unknown>];
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(seen)])) {
      if (isDeepStrictEqual(wanted[key], seen[key])) continue;
      return firstDifference(wanted[key], seen[key], `${path}.${key}`);
    }
  }
  return `${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
}
