import { PeerTable } from '../peers/peer-table.ts';
import type { Bench, BenchCase } from '../suite/bench-case.ts';
import { createOrders } from '../suite/bench-rig.ts';
import { POSTGRES_TOTAL, SYSTEM_TOTAL } from '../suite/cpu-probe.ts';
import type { Bar, Figure } from '../suite/figure.ts';
import { type Measured, measureLoads, ratio } from '../suite/measure-load.ts';
import { renderCase } from '../suite/report.ts';
import type { Stack } from '../whole/stacks.ts';
import { graphLoad } from './orders.ts';
import { differentLists, differentPages, inTurn, LIST, STOCK } from './queries.ts';

const CLIENTS = 20;
const BATCH_CLIENTS = 2;
const BATCH = 100;
const POPULAR_STOCKS = 10;
const POPULAR_ORDERS = 1_100;
/** Orders behind the last cursor, so that its page contains only orders of popular stocks. */
const LISTED = 100;
const THIS = 'this';
const SHOWN = ['gateway', 'order', 'stock', POSTGRES_TOTAL, SYSTEM_TOTAL];
/** Begins the names of the ratios, which are listed below the table. */
const RATIO = 'ratio';

type Body = (turn: number) => string;

interface Comparison {
  readonly name: string;
  readonly about: string;
  readonly clients?: number;
  readonly body: (stack: Stack) => Promise<Body> | Body;
  /** Limits of the ratios to the other systems, as `<group>/<other>`. */
  readonly bars?: Readonly<Record<string, Bar>>;
}

const COMPARISONS: readonly Comparison[] = [
  {
    name: 'list',
    about: '50 orders with their stocks, all different',
    body: async (stack) => inTurn(await differentLists(stack)),
    bars: {
      [`${SYSTEM_TOTAL}/370c245`]: { atMost: 0.55 },
      [`${SYSTEM_TOTAL}/textbook`]: { atMost: 0.3 },
      'gateway/textbook': { atMost: 0.25 },
    },
  },
  {
    name: 'popular',
    about: `50 orders of ${POPULAR_STOCKS} different stocks, all different`,
    body: popularLists,
  },
  {
    name: 'same',
    about: '50 orders with their stocks, all the same',
    body: () => () => JSON.stringify({ query: LIST }),
    bars: { [`${SYSTEM_TOTAL}/370c245`]: { atMost: 1 } },
  },
  {
    name: 'stock',
    about: 'a stock by id',
    body: ({ stockIds }) =>
      inTurn(stockIds.map((id) => JSON.stringify({ query: STOCK, variables: { id } }))),
  },
  {
    name: 'page',
    about: '20 stocks with 5 orders each',
    body: async (stack) => inTurn(await differentPages(stack)),
  },
  {
    name: 'order',
    about: 'an order through the graph, until it is settled (textbook: until its message is sent)',
    body: (stack) => graphLoad(stack, CLIENTS).body,
  },
  {
    name: 'batch',
    about: `${BATCH} adjustments in one request, until their events are sent`,
    clients: BATCH_CLIENTS,
    body: adjustments,
  },
];

/** Creates orders of few stocks, and lists them. */
async function popularLists(stack: Stack): Promise<Body> {
  const { graph, stockIds, settled } = stack;
  await createOrders(graph, stockIds.slice(0, POPULAR_STOCKS), POPULAR_ORDERS);
  await settled();
  return inTurn(await differentLists(stack, POPULAR_ORDERS - LISTED));
}

/** A batch. A commit without batches gets a mutation with as many root fields. */
async function adjustments({ graph, stockIds }: Stack): Promise<Body> {
  const batch = `mutation ($inputs: [AdjustStocksInput!]!) {
    adjustStocks(inputs: $inputs) { stock { id quantity version } } }`;
  const inputs = (turn: number) =>
    Array.from({ length: BATCH }, (_, index) => ({
      id: stockIds[(turn * BATCH + index) % stockIds.length] ?? '',
      delta: index % 2 === 0 ? 1 : -1,
    }));
  const { errors } = await graph(batch, { inputs: inputs(0) });
  if (!errors)
    return (turn) => JSON.stringify({ query: batch, variables: { inputs: inputs(turn) } });
  const declared = inputs(0).map((_, index) => `$i${index}: ID!, $d${index}: Int!`);
  const fields = inputs(0).map(
    (_, index) =>
      `a${index}: adjustStock(id: $i${index}, delta: $d${index}) { id quantity version }`,
  );
  const query = `mutation (${declared.join(', ')}) { ${fields.join(' ')} }`;
  return (turn) => {
    const variables = inputs(turn).flatMap(({ id, delta }, index) => [
      [`i${index}`, id],
      [`d${index}`, delta],
    ]);
    return JSON.stringify({ query, variables: Object.fromEntries(variables) });
  };
}

async function compare(bench: Bench, { clients = CLIENTS, body, bars = {} }: Comparison) {
  const own: Stack = { ...(await bench.rig()), name: THIS };
  const others = await bench.beside();
  const measured = await Promise.all(
    [own, ...others].map(
      async (stack): Promise<Measured> => ({
        label: stack.name,
        load: { url: stack.graphUrl, body: await body(stack), clients },
        readCpu: stack.readCpu,
        drain: stack.settled,
        only: SHOWN,
      }),
    ),
  );
  const figures = await measureLoads(measured, bench.rounds);
  const cpuOf = (stack: string, group: string): Figure => {
    const found = figures.find(({ name }) => name === `${stack}: CPU ${group}`);
    if (!found) throw new Error(`The figure of ${stack}, ${group} is missing`);
    return found;
  };
  const ratios = others.flatMap(({ name }) =>
    ['gateway', SYSTEM_TOTAL].map((group) => {
      const label = `${RATIO} to ${name}: CPU ${group}`;
      return ratio(label, cpuOf(THIS, group), cpuOf(name, group), bars[`${group}/${name}`]);
    }),
  );
  return [...figures, ...ratios];
}

/** Formats the systems as columns, and lists the ratios below them. */
const renderColumns: typeof renderCase = (title, figures, earlier) => {
  const ratios = figures.filter(({ name }) => name.startsWith(RATIO));
  const table = new PeerTable();
  const stacks = new Set<string>();
  for (const figure of figures.filter((one) => !ratios.includes(one))) {
    const [stack = '', name] = figure.name.split(': ');
    stacks.add(stack);
    for (const value of figure.values) {
      const digits = figure.unit === 'ms' ? 1 : 0;
      table.note(title, stack, [{ name: `${name}, ${figure.unit}`, value, digits }]);
    }
  }
  const below = ratios.length > 0 ? renderCase('', ratios, earlier) : '';
  return `${table.render([...stacks])}${below}`;
};

/** The CPU time of all processes, beside other builds of this repository and the textbook stack. */
export const wholeSystems: readonly BenchCase[] = COMPARISONS.map((comparison) => ({
  name: `whole-${comparison.name}`,
  about: comparison.about,
  render: renderColumns,
  run: (bench: Bench) => compare(bench, comparison),
}));
