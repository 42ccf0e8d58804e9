import { setTimeout as pause } from 'node:timers/promises';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { createFigures, type Decided } from './figures.ts';
import { createOrderSender } from './order-sender.ts';
import { deliver, findStocks, nextOrder } from './shopping.ts';
import { createStatusLine } from './status-line.ts';
import { watchOrders } from './watch-orders.ts';

/** After so long without a decision it is said that there is none. */
const STANDSTILL_MS = 3_000;
const SAME_SIGNAL_MS = 1_000;
const SETTLES_WITHIN_MS = 15_000;

/**
 * Orders at a steady rate until Ctrl-C, and shows what comes of it. After the first Ctrl-C no order
 * is begun and those under way are waited for, at most 15 s; a second one leaves at once.
 * @param url the gateway's GraphQL address
 * @param rate orders a second
 */
export async function runTraffic(url: string, rate: number): Promise<void> {
  const graph = graphAt(url);
  const stocks = await findStocks(graph);
  const begun = performance.now();
  const figures = createFigures(begun);
  const status = createStatusLine();
  const sender = createOrderSender(graph, status.note);
  let lastDecision = begun;

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
    const wanted = nextOrder(stocks);
    const sentAt = performance.now();
    const id = await sender.send(wanted);
    if (id === undefined) return;
    figures.acknowledged(performance.now());
    watcher.watch({ id, productId: wanted.productId, sentAt });
  };
  let still = false;
  const show = (): void => {
    const now = performance.now();
    const isStill = !sender.isAway() && figures.waiting() > 0 && now - lastDecision > STANDSTILL_MS;
    if (isStill && !still)
      status.note('Orders are taken, none is decided: is Kafka or stock down?');
    if (!isStill && still) status.note('Orders are decided again');
    still = isStill;
    status.update(figures.line(now));
  };

  const stopped = stopOnSignals();
  status.note(`${rate} orders a second of ${stocks.length} stocks, until Ctrl-C`);
  const showing = setInterval(show, 1_000);
  for (let sent = 1; !stopped.aborted; sent += 1) {
    void order();
    const wait = Math.max(begun + (sent * 1_000) / rate - performance.now(), 0);
    await pause(wait, undefined, { signal: stopped }).catch(() => {});
  }
  const giveUpAt = performance.now() + SETTLES_WITHIN_MS;
  const isOpen = (): boolean => sender.unanswered() > 0 || figures.waiting() > 0;
  while (isOpen() && performance.now() < giveUpAt) await pause(50);

  clearInterval(showing);
  const unanswered = sender.unanswered();
  sender.leave();
  await watcher.stop();
  show();
  status.end();
  const { acknowledged, CONFIRMED, REJECTED } = figures.totals();
  const seconds = Math.round((performance.now() - begun) / 1_000);
  const open = figures.waiting() === 0 ? 'all decided' : `${figures.waiting()} not decided yet`;
  const lost = unanswered === 0 ? '' : `, ${unanswered} more without an answer`;
  process.stdout.write(
    `${acknowledged} orders in ${seconds} s: ${CONFIRMED} confirmed, ${REJECTED} rejected, ${open}${lost}\n`,
  );
}

/** Aborted by the first Ctrl-C; a later one ends the process. */
function stopOnSignals(): AbortSignal {
  const stopping = new AbortController();
  let firstAt: number | undefined;
  const stop = (): void => {
    firstAt ??= performance.now();
    stopping.abort();
    // One Ctrl-C may come twice: from the terminal, and passed on by npm.
    if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(130);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return stopping.signal;
}
