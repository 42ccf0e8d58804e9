import { randomUUID } from 'node:crypto';
import { dataOf, type Graph, graphAt } from '@gudang/testing/clients/graph-client';
import { startLiveClient } from '@gudang/testing/clients/live-client';
import { expectThat } from './expect-that.ts';
import { say, shown } from './say.ts';

const SEEN_WITHIN_MS = 10_000;

const ADD = `mutation ($input: AddStockInput!) {
  addStock(input: $input) { id name quantity version } }`;
const WATCH = `subscription ($ids: [ID!], $after: String) {
  stockChanged(ids: $ids, after: $after) {
    kind delta
    stock { id name quantity version }
    order { id quantity createdAt } } }`;
const ORDER = `mutation ($input: CreateOrderInput!) {
  createOrder(input: $input) { id status } }`;
const DECIDED = `subscription ($id: ID!) {
  orderChanged(id: $id) { id quantity status rejectionReason stock { id name quantity } } }`;

interface StockChange {
  readonly kind: string;
  readonly delta: number;
  readonly stock: { readonly id: string; readonly name: string; readonly quantity: number };
  readonly order: { readonly id: string; readonly quantity: number } | null;
}

interface DecidedOrder {
  readonly id: string;
  readonly status: string;
  readonly rejectionReason: string | null;
  readonly stock: { readonly name: string; readonly quantity: number } | null;
}

async function createOrder(graph: Graph, productId: string, quantity: number): Promise<string> {
  const { createOrder } = await dataOf(graph(ORDER, { input: { productId, quantity } }));
  expectThat(createOrder.status === 'PENDING', 'an order is answered PENDING', createOrder);
  return createOrder.id;
}

/** What became of an order, as its own stream tells. */
async function decided(url: string, id: string): Promise<DecidedOrder> {
  const live = await startLiveClient<{ orderChanged: DecidedOrder }>({
    url,
    query: DECIDED,
    variables: { id },
  });
  try {
    const { data } = await live.waitFor(({ orderChanged }) => orderChanged.status !== 'PENDING', {
      until: `the order ${id} is decided`,
      within: SEEN_WITHIN_MS,
    });
    await live.ended({ within: SEEN_WITHIN_MS });
    return (data as { orderChanged: DecidedOrder }).orderChanged;
  } finally {
    await live.close();
  }
}

/**
 * An order through the whole path, and what it took.
 * @param url the gateway's GraphQL address
 * @throws {DemoError} when something is not as it should be
 */
export async function showOneOrder(url: string): Promise<void> {
  const graph = graphAt(url);
  const id = `demo-${randomUUID()}`;
  const { stockCursor } = await dataOf(graph('{ stockCursor }'));
  const { addStock: stock } = await dataOf(
    graph(ADD, { input: { id, name: 'Kopi Luwak 100 g', quantity: 100 } }),
  );
  expectThat(stock.quantity === 100, 'a stock of 100 is added', stock);
  say('Added a stock', shown(stock));

  const watch = await startLiveClient<{ stockChanged: StockChange }>({
    url,
    query: WATCH,
    variables: { ids: [id], after: stockCursor },
  });
  try {
    const within = { within: SEEN_WITHIN_MS };
    await watch.waitFor(({ stockChanged }) => stockChanged.kind === 'CREATED', within);
    say('Watching it', `stockChanged(ids: ["${id}"]) over the gateway's websocket`);

    const sent = performance.now();
    const orderId = await createOrder(graph, id, 10);
    const answered = performance.now();
    const pushed = await watch.waitFor(({ stockChanged }) => stockChanged.order?.id === orderId, {
      ...within,
      until: `the order ${orderId} is pushed`,
    });
    const change = pushed.data?.stockChanged;
    expectThat(
      change?.kind === 'ORDERED' &&
        change.delta === -10 &&
        change.stock.quantity === 90 &&
        change.stock.name === stock.name &&
        change.order?.quantity === 10,
      'the change shows the stock at 90 and the order of 10',
      pushed,
    );
    say('Ordered 10', `answered after ${milliseconds(answered - sent)}: PENDING, ${orderId}`);
    say('Pushed', shown(change));
    say(
      'Order to push',
      `${milliseconds(pushed.at - sent)} from the request, ${milliseconds(pushed.at - answered)} from its answer`,
    );

    const large = await decided(url, await createOrder(graph, id, 1_000));
    expectThat(
      large.status === 'REJECTED' &&
        large.rejectionReason === 'OUT_OF_STOCK' &&
        large.stock?.quantity === 90,
      'an order of 1,000 is rejected and takes nothing',
      large,
    );
    say('Ordered 1,000', shown(large));

    const unknown = await decided(url, await createOrder(graph, `nothing-${id}`, 1));
    expectThat(
      unknown.status === 'REJECTED' &&
        unknown.rejectionReason === 'UNKNOWN_PRODUCT' &&
        unknown.stock === null,
      'an order for an unknown product is rejected',
      unknown,
    );
    say('Ordered nothing known', shown(unknown));

    const { stock: last } = await dataOf(
      graph('query ($id: ID!) { stock(id: $id) { quantity version } }', { id }),
    );
    expectThat(last.quantity === 90 && last.version === 2, 'the stock is left at 90', last);
    expectThat(watch.seen().length === 2, 'two changes were pushed and no more', watch.seen());
    say('All as it should be', 'the stock holds 90');
  } finally {
    await watch.close();
  }
}

function milliseconds(time: number): string {
  return `${time.toFixed(1)} ms`;
}
