import { setTimeout as pause } from 'node:timers/promises';
import type { Checks } from '../checks.ts';
import { storedVersions } from '../system/bench-system.ts';
import type { System } from '../system/system.ts';
import {
  createStockSubscriber,
  type StockSubscriber,
  type StockSubscriberOptions,
} from './stock-subscriber.ts';

const AT_ONCE = 50;

export async function connectAll(clients: readonly StockSubscriber[]): Promise<void> {
  for (let at = 0; at < clients.length; at += AT_ONCE) {
    await Promise.all(clients.slice(at, at + AT_ONCE).map((one) => one.connect()));
  }
}

/** Connects `count` subscribers to the gateway. */
export async function startStockSubscribers(
  { gateway }: System,
  count: number,
  options: StockSubscriberOptions,
): Promise<StockSubscriber[]> {
  const url = `${gateway.url.replace('http', 'ws')}/graphql`;
  const clients = Array.from({ length: count }, () => createStockSubscriber(url, options));
  await connectAll(clients);
  return clients;
}

/** Returns whether a subscriber has not received the latest version of a stock that it watches. */
export function isBehind(client: StockSubscriber, stored: ReadonlyMap<string, number>): boolean {
  return [...stored].some(
    ([id, version]) => client.watches(id) && client.versions.get(id) !== version,
  );
}

/** Waits until all subscribers have the last state, then verifies the events that they received. */
export async function checkStockSubscribers(
  checks: Checks,
  system: System,
  clients: readonly StockSubscriber[],
  withinMs = 60_000,
): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  let stored = await storedVersions(system);
  while (clients.some((one) => isBehind(one, stored)) && performance.now() < giveUpAt) {
    await pause(200);
    stored = await storedVersions(system);
  }
  const behind = clients.filter((one) => isBehind(one, stored)).length;
  const faults = clients.flatMap((one) => one.faults);
  const withoutSnapshot = clients.filter((one) => one.snapshots() === 0);
  const uncounted = withoutSnapshot.filter((one) => one.missing() !== one.conflated()).length;
  const received = clients.reduce((sum, one) => sum + one.received(), 0);
  const conflated = clients.reduce((sum, one) => sum + one.conflated(), 0);
  const n = clients.length;
  checks.verify(
    "all subscribers have each stock's last state",
    behind === 0,
    `${n - behind} of ${n}`,
  );
  checks.verify(
    'no errors, no closed connections, no version goes back',
    faults.length === 0,
    faults.length === 0 ? 'none' : `${faults.length}, for example ${faults[0]}`,
  );
  checks.verify(
    'received + conflated events = all events',
    uncounted === 0,
    `${withoutSnapshot.length - uncounted} of ${withoutSnapshot.length} subscribers without a snapshot (${received} events received, ${conflated} conflated)`,
  );
}
