import { OK, type PartState } from '@gudang/runtime';
import { expect, test } from 'vitest';
import { describeStatus, unavailableSubgraphs } from './describe-status.ts';

const down = (reason: string): PartState => ({ state: 'down', reason });
const degraded = (reason: string): PartState => ({ state: 'degraded', reason });
const all = new Map([
  ['database', OK],
  ['kafka', OK],
  ['feed', OK],
]);
const seen = new Set(['database', 'kafka']);
const both = { 'subgraph order': OK, 'subgraph stock': OK };

function statesOf(parts: ReturnType<typeof describeStatus>): Record<string, string> {
  return Object.fromEntries(parts.map(({ name, state }) => [name, state]));
}

test('lists the gateway, its subgraphs and their servers', () => {
  const status = describeStatus(
    { ready: true, parts: both },
    new Map([
      ['order', all],
      ['stock', all],
    ]),
    seen,
  );
  expect(statesOf(status)).toEqual({
    Gateway: 'ok',
    'Order subgraph': 'ok',
    'Stock subgraph': 'ok',
    Kafka: 'ok',
    PostgreSQL: 'ok',
  });
  expect(status.at(-1)?.says).toBe('Serves order and stock.');
});

test('names a database and the service that cannot reach it', () => {
  const stock = new Map([...all, ['database', down('the database does not answer')] as const]);
  const status = describeStatus(
    { ready: true, parts: both },
    new Map([
      ['order', all],
      ['stock', stock],
    ]),
    seen,
  );
  expect(statesOf(status)).toMatchObject({ PostgreSQL: 'down', 'Stock subgraph': 'ok' });
  expect(status.at(-1)?.says).toBe('Stock: the database does not answer.');
});

test('names a subgraph that does not answer, and parts that are behind', () => {
  const stock = new Map([...all, ['feed', degraded('it reads what it has missed')] as const]);
  const status = describeStatus(
    { ready: true, parts: { ...both, 'subgraph order': degraded('it does not answer') } },
    new Map([
      ['order', new Map()],
      ['stock', stock],
    ]),
    seen,
  );
  expect(status.slice(1, 3)).toEqual([
    {
      id: 'subgraph order',
      name: 'Order subgraph',
      state: 'degraded',
      says: 'It does not answer.',
    },
    {
      id: 'subgraph stock',
      name: 'Stock subgraph',
      state: 'degraded',
      says: 'It reads what it has missed.',
    },
  ]);
});

test('reports servers as unknown when no service answers', () => {
  const parts = { 'subgraph order': degraded('x'), 'subgraph stock': degraded('x') };
  const status = describeStatus(
    { ready: true, parts },
    new Map([
      ['order', new Map()],
      ['stock', new Map()],
    ]),
    seen,
  );
  expect(statesOf(status)).toMatchObject({ Kafka: 'unknown', PostgreSQL: 'unknown' });
});

test('omits servers that no service has reported', () => {
  const parts = { 'subgraph items': degraded('x') };
  const status = describeStatus({ ready: true, parts }, new Map(), new Set());
  expect(statesOf(status)).toEqual({ Gateway: 'ok', 'Items subgraph': 'degraded' });
});

test('a subgraph is unavailable if it or its database does not answer, but not if Kafka is unavailable', () => {
  const order = new Map([['kafka', degraded('no broker answers')]]);
  const stock = new Map([['database', down('the database does not answer')]]);
  const answers = new Map([
    ['order', order],
    ['stock', stock],
  ]);
  expect(unavailableSubgraphs({ ready: true, parts: both }, answers)).toEqual(['stock']);
  const parts = { ...both, 'subgraph order': degraded('it does not answer') };
  expect(unavailableSubgraphs({ ready: true, parts }, answers)).toEqual(['order', 'stock']);
});
