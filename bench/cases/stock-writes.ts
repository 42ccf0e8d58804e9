import type { Bench, BenchCase } from '../suite/bench-case.ts';
import type { BenchRig } from '../suite/bench-rig.ts';
import { type Figure, median } from '../suite/figure.ts';
import type { Load } from '../suite/http-load.ts';
import { type Measured, measureLoads } from '../suite/measure-load.ts';

/** Aim: an item of a batch costs at most a tenth of a single mutation. */
const BAR = { atMost: 0.1 };
const SINGLE_CLIENTS = 20;
const BATCH_CLIENTS = 2;

interface Write {
  /** The single mutation, and the batch with its number of items. */
  readonly label: string;
  readonly items: number;
  readonly query: string;
  /** Returns the variables of a request. @param ids ids of existing stocks, in turns */
  readonly variables: (ids: readonly string[], turn: number) => object;
}

const single = (field: string, declared: string, given: string): string =>
  `mutation (${declared}) { ${field}(${given}) { id quantity version } }`;
const batch = (field: string, type: string): string =>
  `mutation ($inputs: [${type}!]!, $key: String) { ${field}(inputs: $inputs, idempotencyKey: $key) {
    stock { id quantity version } error { code message } } }`;
/** Alternates, so that the quantity of a stock stays within its limits. */
const deltaOf = (turn: number): number => (turn % 2 === 0 ? 1 : -1);
const KEY = '$key: String';

/** A single mutation with its batch. */
const PAIRS: readonly (readonly [Write, Write])[] = [
  [
    {
      label: 'adjustStock',
      items: 1,
      query: single('adjustStock', '$id: ID!, $delta: Int!', 'id: $id, delta: $delta'),
      variables: (ids, turn) => ({ id: ids[turn % ids.length], delta: deltaOf(turn) }),
    },
    {
      label: 'adjustStocks of 1,000',
      items: 1_000,
      query: batch('adjustStocks', 'AdjustStocksInput'),
      variables: (ids, turn) => ({ inputs: ids.map((id) => ({ id, delta: deltaOf(turn) })) }),
    },
  ],
  [
    {
      label: 'updateStock with a key',
      items: 1,
      query: single(
        'updateStock',
        `$id: ID!, $input: UpdateStockInput!, ${KEY}`,
        'id: $id, input: $input, idempotencyKey: $key',
      ),
      variables: (ids, turn) => ({
        id: ids[turn % ids.length],
        input: { quantity: 1_000_000 + turn },
        key: `u${turn}`,
      }),
    },
    {
      label: 'updateStocks of 1,000 with a key',
      items: 1_000,
      query: batch('updateStocks', 'UpdateStocksInput'),
      variables: (ids, turn) => ({
        inputs: ids.map((id) => ({ id, quantity: 1_000_000 + turn })),
        key: `b${turn}`,
      }),
    },
  ],
  [
    {
      label: 'addStock',
      items: 1,
      query: single('addStock', '$input: AddStockInput!', 'input: $input'),
      variables: (_ids, turn) => ({ input: { name: `Kopi ${turn}`, quantity: 1 } }),
    },
    {
      label: 'addStocks of 1,000',
      items: 1_000,
      query: batch('addStocks', 'AddStockInput'),
      variables: (ids, turn) => ({ inputs: ids.map(() => ({ name: `Teh ${turn}`, quantity: 1 })) }),
    },
  ],
];

function measured(rig: BenchRig, { label, items, query, variables }: Write): Measured {
  const body = (turn: number): string =>
    JSON.stringify({ query, variables: variables(rig.stockIds, turn) });
  const clients = items === 1 ? SINGLE_CLIENTS : BATCH_CLIENTS;
  const load: Load = { url: rig.graphUrl, body, clients };
  return { label, load, readCpu: rig.readCpu, drain: rig.settled };
}

/** Returns the CPU times of a load's processes per item. */
function cpuPerItem(figures: readonly Figure[], { label, items }: Write): Figure[] {
  return figures
    .filter(({ name }) => name.startsWith(`${label}: CPU`) && !name.endsWith('total'))
    .map(({ name, values }) => ({
      name: `${name} per item`,
      unit: 'µs',
      values: values.map((value) => value / items),
    }));
}

function total(figures: readonly Figure[]): number {
  const sum = figures.reduce((all, { values }) => all + median(values), 0);
  if (!(sum > 0)) throw new Error('The CPU figures are missing');
  return sum;
}

async function run(
  { rig: getRig, rounds }: Bench,
  pair: readonly [Write, Write],
): Promise<Figure[]> {
  const rig = await getRig();
  const figures = await measureLoads(
    pair.map((write) => measured(rig, write)),
    rounds,
  );
  const [ofSingle, ofBatch] = pair.map((write) => cpuPerItem(figures, write)) as [
    Figure[],
    Figure[],
  ];
  const share = total(ofBatch) / total(ofSingle);
  return [
    ...ofSingle,
    ...ofBatch,
    {
      name: 'CPU of an item, as a share of a single mutation',
      unit: '×',
      values: [share],
      bar: BAR,
    },
    ...figures.filter(({ name }) => /: (rate|p50|p99)$/.test(name)),
  ];
}

const NAMES = ['adjust', 'update', 'add'];

/** CPU time of an item of a batch, compared with a single mutation. */
export const stockWrites: readonly BenchCase[] = PAIRS.map((pair, index) => ({
  name: `stock-batch-${NAMES[index]}`,
  about: `${pair[1].label}, compared with ${pair[0].label}: all CPU per item until the events are sent`,
  run: (bench: Bench) => run(bench, pair),
}));
