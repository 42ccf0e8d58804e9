import { setTimeout as pause } from 'node:timers/promises';
import type { DemoGraph } from './demo-graph.ts';
import { type Stock, withDemoProducts } from './demo-products.ts';
import { createFigures, type Decided, type Figures } from './figures.ts';
import { addStocks, deliver, nextOrder } from './order-generator.ts';
import { createOrderSender } from './order-sender.ts';
import { createStatusLine } from './status-line.ts';
import { watchOrders } from './watch-orders.ts';

/** Time-out in milliseconds. After this long without a decision, the demo reports that none arrives. */
const STANDSTILL_MS = 3_000;
const SAME_SIGNAL_MS = 1_000;
const SETTLES_WITHIN_MS = 15_000;

/**
 * Sends orders for its own stocks at a steady rate until Ctrl-C and prints statistics. The first Ctrl-C
 * stops new orders, waits at most 15 s until the pending orders are decided, and deletes the stocks. The
 * second Ctrl-C exits immediately.
 * @param rate orders per second
 * @throws {DemoError} if the stocks cannot be added or deleted
 */
export async function runTraffic(graph: DemoGraph, rate: number): Promise<void> {
  const stopped = stopOnSignals();
  await withDemoProducts(graph, async (add) =>
    sendOrders(graph, await addStocks(add), { rate, stopped }),
  );
}

async function sendOrders(
  graph: DemoGraph,
  stocks: Stock[],
  { rate, stopped }: { rate: number; stopped: AbortSignal },
): Promise<void> {
  const startedAt = performance.now();
  const figures = createFigures(startedAt);
  const status = createStatusLine();
  const sender = createOrderSender(graph, status.note);
  let lastDecision = startedAt;

  const onDecided = (decided: Decided, productId: string, quantityLeft: number | undefined) => {
    lastDecision = performance.now();
    figures.decided(decided, lastDecision);
    const stock = stocks.find(({ id }) => id === productId);
    if (!stock || quantityLeft === undefined) return;
    stock.quantity = quantityLeft;
    void deliver(graph, stock).catch(() => {});
  };
  const watcher = watchOrders(graph, onDecided);
  const order = async (): Promise<void> => {
    const request = nextOrder(stocks);
    const sentAt = performance.now();
    const id = await sender.send(request);
    if (id === undefined) return;
    figures.acknowledged(performance.now());
    watcher.watch({ id, productId: request.productId, sentAt });
  };
  let still = false;
  const show = (): void => {
    const now = performance.now();
    const isStill =
      !sender.isUnavailable() && figures.waiting() > 0 && now - lastDecision > STANDSTILL_MS;
    if (isStill && !still)
      status.note('Orders are accepted but not decided: check Kafka and the stock subgraph');
    if (!isStill && still) status.note('Orders are decided again');
    still = isStill;
    status.update(figures.line(now));
  };

  status.note(`${rate} orders per second for ${stocks.length} stocks; stop with Ctrl-C`);
  const showing = setInterval(show, 1_000);
  for (let sent = 1; !stopped.aborted; sent += 1) {
    void order();
    const wait = Math.max(startedAt + (sent * 1_000) / rate - performance.now(), 0);
    await pause(wait, undefined, { signal: stopped }).catch(() => {});
  }
  const giveUpAt = performance.now() + SETTLES_WITHIN_MS;
  const isOpen = (): boolean => sender.unanswered() > 0 || figures.waiting() > 0;
  while (isOpen() && performance.now() < giveUpAt) await pause(50);

  clearInterval(showing);
  const unanswered = sender.unanswered();
  sender.abandon();
  await watcher.stop();
  show();
  status.end();
  process.stdout.write(`${summary(figures, performance.now() - startedAt, unanswered)}\n`);
}

function summary(figures: Figures, tookMs: number, unanswered: number): string {
  const { acknowledged, CONFIRMED, REJECTED } = figures.totals();
  const seconds = Math.round(tookMs / 1_000);
  const open = figures.waiting() === 0 ? 'all decided' : `${figures.waiting()} pending`;
  const lost = unanswered === 0 ? '' : `, ${unanswered} more without a response`;
  return `${acknowledged} orders in ${seconds} s: ${CONFIRMED} confirmed, ${REJECTED} rejected, ${open}${lost}`;
}

/** Returns a signal that is aborted at the first Ctrl-C. A later Ctrl-C ends the process. */
function stopOnSignals(): AbortSignal {
  const stopping = new AbortController();
  let firstAt: number | undefined;
  const stop = (): void => {
    firstAt ??= performance.now();
    stopping.abort();
    // A single Ctrl-C may arrive twice, because both the terminal and npm send the signal.
    if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(130);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return stopping.signal;
}
