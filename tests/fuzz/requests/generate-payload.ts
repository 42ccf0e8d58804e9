import { createHash } from 'node:crypto';
import type { Random } from '@gudang/testing/random';
import { anyJson, mutateText } from '../values.ts';
import { anyOperation, type GeneratedOperation, heavyOperation } from './generate-operation.ts';

/** Parameters of a request in order, with their values as JSON; a name may occur twice. */
export type Entries = readonly (readonly [name: string, json: string])[];

/** Documents that many requests share, so that requests meet the gateway's caches. */
const POOL_SIZE = 60;

export interface PayloadSource {
  /** Generates the parameters of a request. */
  readonly next: (random: Random, marker: string) => Entries;
}

/**
 * Creates a source of parameters.
 * @param pool documents that half of the requests use
 */
export function createPayloadSource(pool: readonly GeneratedOperation[]): PayloadSource {
  const operationFor = (random: Random, marker: string): GeneratedOperation => {
    if (random.chance(0.08)) return heavyOperation(random, `${marker}:heavy`);
    const own = anyOperation(random, marker);
    if (random.chance(0.5)) return own;
    const { query, names } = random.pick(pool);
    return { query, names, variables: { ...own.variables, m: `${marker}:pool` } };
  };
  return {
    next: (random, marker) => {
      const operation = operationFor(random, marker);
      const decoy = operationFor(random, `${marker}:decoy`);
      let entries: Entries = plainEntries(random, operation);
      for (let count = random.pick([0, 0, 0, 0, 1, 1, 1, 2, 3]); count > 0; count -= 1) {
        entries = random.pick(CHANGES)(random, entries, { operation, decoy });
      }
      return random.chance(0.3) ? random.shuffled(entries) : entries;
    },
  };
}

/** Generates documents that take their marker from the variable `$m`. */
export function createPool(random: Random): GeneratedOperation[] {
  const pool: GeneratedOperation[] = [];
  while (pool.length < POOL_SIZE) {
    const operation = anyOperation(random, 'pool');
    if (!operation.query.includes('"pool')) pool.push(operation);
  }
  return pool;
}

function plainEntries(random: Random, { query, names, variables }: GeneratedOperation): Entries {
  const entries: [string, string][] = [['query', JSON.stringify(query)]];
  const [name] = names;
  if (name !== undefined && (names.length > 1 || random.chance(0.5))) {
    entries.push(['operationName', JSON.stringify(random.pick(names))]);
  }
  if (Object.keys(variables).length > 0) entries.push(['variables', JSON.stringify(variables)]);
  return entries;
}

interface Material {
  readonly operation: GeneratedOperation;
  readonly decoy: GeneratedOperation;
}
type Change = (random: Random, entries: Entries, material: Material) => Entries;

function replaced(entries: Entries, name: string, json: string): Entries {
  return [...entries.filter(([one]) => one !== name), [name, json]];
}

/** Returns the id of a persisted query. */
export function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const CHANGES: readonly Change[] = [
  // Unknown names, and names that are almost those of a parameter.
  (random, entries, { decoy }) => [
    [
      random.pick([
        'Query',
        'QUERY',
        'query ',
        ' query',
        'query[]',
        'queries',
        'id',
        'documentId',
        'doc',
        'mutation',
        '',
        '0',
        'toString',
      ]),
      JSON.stringify(decoy.query),
    ],
    ...entries,
  ],
  (random, entries) => [
    ...entries,
    [
      random.pick(['x', '__proto__', 'constructor', 'ticket', 'operation']),
      JSON.stringify(anyJson(random, 2)),
    ],
  ],
  // The same name twice.
  (random, entries, { decoy }) => {
    const again: readonly [string, string] = random.pick([
      ['query', JSON.stringify(decoy.query)],
      ['variables', JSON.stringify(decoy.variables)],
      ['operationName', '"A"'],
      ['extensions', '{}'],
    ]);
    return random.chance(0.5) ? [again, ...entries] : [...entries, again];
  },
  // A query of another type.
  (random, entries, { operation }) =>
    replaced(
      entries,
      'query',
      random.pick([
        'null',
        '1',
        'true',
        'false',
        '0',
        '""',
        '" "',
        '{}',
        '[]',
        JSON.stringify([operation.query]),
        JSON.stringify({ kind: 'Document', toString: operation.query }),
        JSON.stringify({ query: operation.query }),
      ]),
    ),
  (random, entries, { operation }) =>
    replaced(
      entries,
      'operationName',
      random.pick([
        '""',
        'null',
        '1',
        '{}',
        '["A"]',
        'false',
        '"unknown"',
        '"undefined"',
        '"null"',
        JSON.stringify(operation.names[1] ?? 'A'),
      ]),
    ),
  (random, entries, { operation }) => {
    const { variables } = operation;
    return replaced(
      entries,
      'variables',
      random.pick([
        'null',
        '""',
        '[]',
        '{}',
        '1',
        'false',
        '"x"',
        JSON.stringify([variables]),
        JSON.stringify(JSON.stringify(variables)),
        nested(80, JSON.stringify(variables)),
      ]),
    );
  },
  (random, entries) =>
    replaced(
      entries,
      'extensions',
      random.pick([
        'null',
        '{}',
        '[]',
        '1',
        '""',
        '"{}"',
        'false',
        nested(80, '1'),
        '{"persistedQuery":null}',
        '{"persistedQuery":[]}',
        '{"persistedQuery":{"version":1}}',
        '{"persistedQuery":{"version":1,"sha256Hash":{}}}',
        '{"live":{}}',
        '{"live":null}',
      ]),
    ),
  // Persisted queries: with the text, with another text's hash, and without the text.
  (random, entries, { operation, decoy }) => {
    const version = random.chance(0.9) ? 1 : random.pick([0, 2, '1']);
    const id = idOf(random.chance(0.8) ? operation.query : decoy.query);
    const sha256Hash = random.chance(0.9) ? id : id.toUpperCase();
    const json = JSON.stringify({ persistedQuery: { version, sha256Hash } });
    const named = replaced(entries, 'extensions', json);
    return random.chance(0.5) ? named : named.filter(([name]) => name !== 'query');
  },
  // A text that differs slightly, which must not be confused with the original in a cache.
  (random, entries, { operation }) => {
    const { query } = operation;
    return replaced(
      entries,
      'query',
      JSON.stringify(
        random.pick([
          () => mutateText(random, query),
          () => `${query} `,
          () => `\ufeff${query}`,
          () => query.replaceAll(' ', '\t'),
          () => `${query}\n${query}`,
          () => query.replace('marker', 'marker '),
        ])(),
      ),
    );
  },
  (_random, entries) => entries.filter(([name]) => name !== 'operationName'),
];

/** Returns JSON that is nested in more levels than the gateway allows. */
function nested(levels: number, json: string): string {
  return `${'{"a":'.repeat(levels)}${json}${'}'.repeat(levels)}`;
}
