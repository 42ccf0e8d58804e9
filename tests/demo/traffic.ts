import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type Graph, graphAt } from '../system/graph-client.ts';
import { createFigures, type Decided } from './figures.ts';
import { deliver, findStocks, nextOrder } from './shopping.ts';
import { createStatusLine } from './status-line.ts';
import { watchOrders } from './watch-orders.ts';

const ORDER = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const RETRY_MS = 500;
/** After so long without a decision it is said that there is none. */
const STANDSTILL_MS = 3_000;
/** Orders whose answer has not come: beyond it none is sent, so that an outage ends with no flood. */
const UNANSWERED_LIMIT = 200;
const SAME_SIGNAL_MS = 1_000;
const SETTLES_WITHIN_MS = 15_000;

/**
 * Orders at a steady rate until Ctrl-C, and shows what comes of it. An order without an answer is
 * sent again, with its idempotency key, until it has one. After the first Ctrl-C no order is begun
 * and those under way are waited for, at most 15 s; a second one leaves at once.
 * @param rate orders a second
 */
export async function runTraffic(url: string, rate: number): Promise<void> {
  const graph = graphAt(url);
  const stocks = await findStocks(graph);
  const figures = createFigures(performance.now());
  const status = createStatusLine();
  const stopping = new AbortController();
  const leaving = new AbortController();
  // Each order on its way listens.
  setMaxListeners(0, leaving.signal);
  let lastDecision = performance.now();
  let away = false;
  let unanswered = 0;

  const onDecided = (decided: Decided, productId: string, quantityLeft: number | undefined) => {
    lastDecision = performance.now();
    figures.decided(decided, lastDecision);
    const stock = stocks.find(({ id }) => id === productId);
    if (!stock || quantityLeft === undefined) return;
    stock.quantity = quantityLeft;
    void deliver(graph, stock).catch(() => {});
  };
  const watcher = watchOrders(url, onDecided);
  const order = async (): Promise<void> => {
    const input = { ...nextOrder(stocks), idempotencyKey: randomUUID() };
    const sentAt = performance.now();
    unanswered += 1;
    while (!leaving.signal.aborted) {
      const { id, problem } = await send(graph, input);
      if (away !== (problem !== undefined)) {
        away = problem !== undefined;
        status.note(away ? `No answer (${problem}); orders are repeated` : 'Answers again');
      }
      if (id !== undefined) {
        figures.acknowledged(performance.now());
        watcher.watch({ id, productId: input.productId, sentAt });
        break;
      }
      await pause(RETRY_MS, undefined, { signal: leaving.signal }).catch(() => {});
    }
    unanswered -= 1;
  };

  stopOnSignals(stopping);
  status.note(`${rate} orders a second of ${stocks.length} stocks, until Ctrl-C`);
  const stopLooking = lookForStandstill();
  const begun = performance.now();
  for (let sent = 0; !stopping.signal.aborted; sent += 1) {
    if (unanswered < UNANSWERED_LIMIT) void order();
    const next = begun + ((sent + 1) * 1000) / rate;
    await pause(Math.max(next - performance.now(), 0), undefined, {
      signal: stopping.signal,
    }).catch(() => {});
  }

  const giveUpAt = performance.now() + SETTLES_WITHIN_MS;
  const isOpen = () => unanswered > 0 || figures.waiting() > 0;
  while (isOpen() && performance.now() < giveUpAt) await pause(50);
  leaving.abort();
  stopLooking();
  status.update(figures.line(performance.now()));
  status.end();
  await watcher.stop();
  const { acknowledged, CONFIRMED, REJECTED } = figures.totals();
  const seconds = Math.round((performance.now() - begun) / 1000);
  const open = figures.waiting() === 0 ? 'all decided' : `${figures.waiting()} not decided yet`;
  process.stdout.write(
    `${acknowledged} orders in ${seconds} s: ${CONFIRMED} confirmed, ${REJECTED} rejected, ${open}\n`,
  );

  /** Shows the figures each second, and says when orders are taken and nothing is decided. */
  function lookForStandstill(): () => void {
    let still = false;
    const timer = setInterval(() => {
      const now = performance.now();
      const isStill = !away && figures.waiting() > 0 && now - lastDecision > STANDSTILL_MS;
      if (isStill && !still)
        status.note('Orders are taken, none is decided: is Kafka or stock down?');
      if (!isStill && still) status.note('Orders are decided again');
      still = isStill;
      status.update(figures.line(now));
    }, 1_000);
    return () => clearInterval(timer);
  }
}

function stopOnSignals(stopping: AbortController): void {
  let firstAt: number | undefined;
  const stop = (): void => {
    firstAt ??= performance.now();
    stopping.abort();
    // One Ctrl-C comes twice: from the terminal, and passed on by the program that runs this one.
    if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(130);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** The order's id, or what stood in the way. */
async function send(graph: Graph, input: object): Promise<{ id?: string; problem?: string }> {
  try {
    const { data, errors } = await graph(ORDER, { input });
    return data ? { id: data.createOrder.id } : { problem: errors?.[0]?.message ?? 'no data' };
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } };
    return { problem: cause?.code ?? message };
  }
}
