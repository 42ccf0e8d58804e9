import { startLiveClient } from '@gudang/testing/clients/live-client';
import { DemoError, type DemoGraph } from './demo-graph.ts';
import { type AddProduct, withDemoProducts } from './demo-products.ts';

/** @throws {DemoError} with the actual value, if the condition is false */
function assertThat(holds: boolean, what: string, actual: unknown): asserts holds {
  if (!holds) throw new DemoError(`Check failed: ${what}. Actual: ${JSON.stringify(actual)}`);
}

const WITHIN = { within: 10_000 };

/** @throws {DemoError} that says what to do, if the event did not arrive within 10 s */
async function inTime<T>(what: string, event: Promise<T>): Promise<T> {
  return event.catch((error: Error) => {
    if (!error.message.startsWith('Timed out')) throw error;
    throw new DemoError(
      `${what} did not arrive within ${WITHIN.within / 1000} s. Kafka or a service may be unavailable: see the terminal of npm start`,
    );
  });
}

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

async function createOrder(graph: DemoGraph, productId: string, quantity: number): Promise<string> {
  const { createOrder } = await graph.run(ORDER, { input: { productId, quantity } });
  assertThat(createOrder.status === 'PENDING', 'a new order is PENDING', createOrder);
  return createOrder.id;
}

/** Subscribes to an order and waits until the order is decided. */
async function decided({ url, authorization }: DemoGraph, id: string): Promise<DecidedOrder> {
  const live = await startLiveClient<{ orderChanged: DecidedOrder }>({
    url,
    authorization: authorization(),
    query: DECIDED,
    variables: { id },
  });
  try {
    const { data } = await inTime(
      `The decision of the order ${id}`,
      live.waitFor(({ orderChanged }) => orderChanged.status !== 'PENDING', WITHIN),
    );
    await live.ended(WITHIN);
    return (data as { orderChanged: DecidedOrder }).orderChanged;
  } finally {
    await live.close();
  }
}

/**
 * Adds a stock, sends orders for it, follows them through the whole system, prints the latencies, and
 * deletes the stock.
 * @throws {DemoError} if a check fails
 */
export async function showOneOrder(graph: DemoGraph): Promise<void> {
  await withDemoProducts(graph, (add) => followOrders(graph, add));
  printStep('Deleted the stock', 'the demo leaves only its three orders');
}

async function followOrders(graph: DemoGraph, add: AddProduct): Promise<void> {
  const { stockCursor } = await graph.run('{ stockCursor }');
  const stock = await add('Kopi Luwak 100 g', 100);
  const { id } = stock;
  assertThat(stock.quantity === 100, 'the new stock has 100 units', stock);
  printStep('Added a stock', formatValue(stock));

  const watch = await startLiveClient<{ stockChanged: StockChange }>({
    url: graph.url,
    authorization: graph.authorization(),
    query: WATCH,
    variables: { ids: [id], after: stockCursor },
  });
  try {
    // Right after a start, the stream may begin with a snapshot instead of the addition.
    await inTime(
      'The new stock',
      watch.waitFor(
        ({ stockChanged }) => ['CREATED', 'SNAPSHOT'].includes(stockChanged.kind),
        WITHIN,
      ),
    );
    printStep('Subscribed', `stockChanged(ids: ["${id}"]) over the gateway's websocket`);

    const sent = performance.now();
    const orderId = await createOrder(graph, id, 10);
    const answered = performance.now();
    const pushed = await inTime(
      `The change of the order ${orderId}`,
      watch.waitFor(({ stockChanged }) => stockChanged.order?.id === orderId, WITHIN),
    );
    const change = pushed.data?.stockChanged;
    assertThat(
      change?.kind === 'ORDERED' &&
        change.delta === -10 &&
        change.stock.quantity === 90 &&
        change.stock.name === stock.name &&
        change.order?.quantity === 10,
      'the change has the quantity 90 and the order of 10',
      pushed,
    );
    printStep(
      'Ordered 10',
      `acknowledged after ${milliseconds(answered - sent)}: PENDING, ${orderId}`,
    );
    printStep('Pushed', formatValue(change));
    printStep(
      'Order to push',
      `${milliseconds(pushed.at - sent)} after the request, ${milliseconds(pushed.at - answered)} after the response`,
    );

    const large = await decided(graph, await createOrder(graph, id, 1_000));
    assertThat(
      large.status === 'REJECTED' &&
        large.rejectionReason === 'OUT_OF_STOCK' &&
        large.stock?.quantity === 90,
      'an order of 1,000 is rejected and takes no stock',
      large,
    );
    printStep('Ordered 1,000', formatValue(large));

    const unknown = await decided(graph, await createOrder(graph, `nothing-${id}`, 1));
    assertThat(
      unknown.status === 'REJECTED' &&
        unknown.rejectionReason === 'UNKNOWN_PRODUCT' &&
        unknown.stock === null,
      'an order for an unknown product is rejected',
      unknown,
    );
    printStep('Unknown product', formatValue(unknown));

    const { stock: last } = await graph.run(
      'query ($id: ID!) { stock(id: $id) { quantity version } }',
      { id },
    );
    assertThat(last.quantity === 90 && last.version === 2, 'the stock has 90 units left', last);
    assertThat(watch.seen().length === 2, 'exactly two changes arrived', watch.seen());
    printStep('All checks passed', 'the stock has 90 units');
  } finally {
    await watch.close();
  }
}

function milliseconds(time: number): string {
  return `${time.toFixed(1)} ms`;
}

const LABEL_WIDTH = 22;

/** Prints a step and its result in one line. */
function printStep(step: string, result: string): void {
  process.stdout.write(`${step.padEnd(LABEL_WIDTH)} ${result}\n`);
}

/** Formats a value in GraphQL syntax: `{ id: "a", quantity: 7 }`. */
function formatValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'nothing';
  const fields = Object.entries(value).map(([name, one]) => `${name}: ${formatValue(one)}`);
  return `{ ${fields.join(', ')} }`;
}
