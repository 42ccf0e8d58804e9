import { setTimeout as pause } from 'node:timers/promises';
import type { Verdict } from '../checks.ts';
import { storedVersions } from '../system/bench-system.ts';
import type { System } from '../system/system.ts';
import { createWatchingClient, type Watched, type WatchingClient } from './stock-subscriber.ts';

const AT_ONCE = 50;

export async function connectAll(clients: readonly WatchingClient[]): Promise<void> {
  for (let at = 0; at < clients.length; at += AT_ONCE) {
    await Promise.all(clients.slice(at, at + AT_ONCE).map((one) => one.connect()));
  }
}

/** So many clients of the gateway, connected. */
export async function startCrowd(
  { gateway }: System,
  count: number,
  watched: Watched,
): Promise<WatchingClient[]> {
  const url = `${gateway.url.replace('http', 'ws')}/graphql`;
  const clients = Array.from({ length: count }, () => createWatchingClient(url, watched));
  await connectAll(clients);
  return clients;
}

/** Whether a client knows each stock's last version, of those it watches. */
export function isBehind(client: WatchingClient, stored: ReadonlyMap<string, number>): boolean {
  return [...stored].some(
    ([id, version]) => client.watches(id) && client.versions.get(id) !== version,
  );
}

/** Waits until nobody is behind, and says what became of them all. */
export async function judgeCrowd(
  verdict: Verdict,
  system: System,
  clients: readonly WatchingClient[],
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
  const whole = clients.filter((one) => one.snapshots() === 0);
  const uncounted = whole.filter((one) => one.missing() !== one.conflated()).length;
  const received = clients.reduce((sum, one) => sum + one.received(), 0);
  const conflated = clients.reduce((sum, one) => sum + one.conflated(), 0);
  const n = clients.length;
  verdict.check("each has every stock's last state", behind === 0, `${n - behind} of ${n}`);
  verdict.check(
    'no error, no close, no version that goes back',
    faults.length === 0,
    faults.length === 0 ? 'none' : `${faults.length}, such as ${faults[0]}`,
  );
  verdict.check(
    'received + conflated = all',
    uncounted === 0,
    `${whole.length - uncounted} of ${whole.length} clients that needed no snapshot (${received} events received, ${conflated} conflated)`,
  );
}
