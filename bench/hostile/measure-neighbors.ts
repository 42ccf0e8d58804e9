import { setTimeout as pause } from 'node:timers/promises';
import { type Checks, quantile } from '@gudang/testing/checks';
import { floodOrders } from '@gudang/testing/clients/order-load';
import type { StockChange, StockSubscriber } from '@gudang/testing/clients/stock-subscriber';
import { isBehind, startStockSubscribers } from '@gudang/testing/clients/stock-subscribers';
import { storedVersions } from '@gudang/testing/system/bench-system';
import { warningsOf } from '@gudang/testing/system/service-process';
import type { System } from '@gudang/testing/system/system';
import { startCulprits } from './culprits.ts';

const CLIENTS = 500;
/** Number of different subscriptions of the clients. */
const GROUPS = 10;
const CHANGES_PER_SECOND = 10;
const ADDED_LIMIT_MS = 100;
const SETTLE_MS = 20_000;

/**
 * Runs 500 healthy clients beside poison operations, which break the gateway's connection to the
 * subgraph or ask for the impossible, and verifies that the healthy clients are not affected.
 */
export async function measureNeighbors(
  checks: Checks,
  system: System,
  { seconds, ids }: { seconds: number; ids: readonly string[] },
): Promise<void> {
  await system.gateway.restart();
  await system.gateway.ready();
  let waits: number[] = [];
  const onChange = ({ at }: StockChange): void => {
    waits.push(Date.now() - Date.parse(at));
  };
  const clients = await startClients(system, ids, onChange);
  const observe = async (forSeconds: number): Promise<number> => {
    waits = [];
    const count = forSeconds * CHANGES_PER_SECOND;
    await floodOrders(system, { ids, count, ordersPerSecond: CHANGES_PER_SECOND });
    return quantile(waits, 0.99);
  };
  await observe(5);
  const before = await observe(Math.ceil(seconds / 4));
  const warnings = warningsOf(system.gateway).length;
  const culprits = startCulprits(`${system.gateway.url}/graphql`);
  const during = await observe(seconds);
  const outcomes = await culprits.stop();
  const behind = await settled(system, clients);
  checks.print(`the culprits received: ${JSON.stringify(outcomes, null, 2)}`);
  verifyClients(checks, clients, behind);
  checks.verify(
    `added latency below ${ADDED_LIMIT_MS} ms`,
    during - before < ADDED_LIMIT_MS,
    `p99 ${during.toFixed(0)} ms, before ${before.toFixed(0)} ms`,
  );
  const reasons = Object.entries(outcomes).filter(([, seen]) => Object.keys(seen).length === 0);
  checks.verify(
    'each culprit receives its stream or the reason',
    reasons.length === 0,
    `${reasons.length} kinds without an answer`,
  );
  const added = warningsOf(system.gateway).slice(warnings);
  checks.print(`warnings of the gateway: ${added.length}, ${[...new Set(added)].join('; ')}`);
  for (const client of clients) client.cut();
}

/** Starts groups of clients with different subscriptions; the last group's stocks never change. */
async function startClients(
  system: System,
  ids: readonly string[],
  onChange: (change: StockChange) => void,
): Promise<StockSubscriber[]> {
  const groups = Array.from({ length: GROUPS }, (_, group) =>
    group === GROUPS - 1 ? ['quiet'] : ids.filter((_id, index) => index % (GROUPS - 1) === group),
  );
  const all: StockSubscriber[] = [];
  for (const group of groups) {
    const options = { ids: group, onChange };
    all.push(...(await startStockSubscribers(system, CLIENTS / GROUPS, options)));
  }
  return all;
}

/** Waits until all clients have the last state. @returns the number of clients that do not */
async function settled(system: System, clients: readonly StockSubscriber[]): Promise<number> {
  const stored = await storedVersions(system);
  const giveUpAt = performance.now() + SETTLE_MS;
  const behind = (): number => clients.filter((one) => isBehind(one, stored)).length;
  while (behind() > 0 && performance.now() < giveUpAt) await pause(100);
  return behind();
}

function verifyClients(checks: Checks, clients: readonly StockSubscriber[], behind: number): void {
  const missed = clients.reduce((sum, one) => sum + one.missing(), 0);
  const faults = clients.flatMap((one) => one.faults);
  const received = clients.reduce((sum, one) => sum + one.received(), 0);
  checks.verify(
    'no healthy client misses an event',
    missed === 0 && behind === 0,
    `${missed} events missed, ${received} received, ${behind} of ${clients.length} clients behind`,
  );
  checks.verify(
    'no healthy client is disconnected',
    faults.length === 0,
    faults.length === 0 ? 'none' : `${faults.length} faults, for example ${faults[0]}`,
  );
}
