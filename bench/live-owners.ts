/**
 * Many owners are subscribed to `ordersChanged`, and the orders of 100 of them change. Measures the CPU time
 * of a change in the order subgraph and in the gateway, with 100 owners subscribed, with all, and with 100
 * again: it must not depend on the owners whose orders do not change. The CPU time without changes, such as
 * for pings of idle connections, is measured too and subtracted.
 * `npm run bench:live-owners -- [owners] [changes a second]` takes 4 minutes.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { signToken } from '@gudang/auth/testing';
import { encodeOrderChanged, type OrderState } from '@gudang/events';
import { createChecks } from '@gudang/testing/checks';
import { SECURED } from '@gudang/testing/clients/callers';
import { eventually } from '@gudang/testing/eventually';
import { gatewayMetric, withBenchSystem } from '@gudang/testing/system/bench-system';
import type { System } from '@gudang/testing/system/system';
import { WebSocket } from 'ws';
import { treeCpuMs } from './process-tree.ts';

const OWNERS = Number(argv[2] ?? 10_000);
const RATE = Number(argv[3] ?? 1_000);
const ACTIVE = 100;
const AT_ONCE = 50;
const STEP_MS = 50;
const WARM_UP_MS = 5_000;
const MEASURED_MS = 15_000;
const IDLE_MS = 10_000;
/** Maximum ratio of the CPU time with all owners to the CPU time with the active owners. */
const LIMIT = 1.1;
const QUERY = 'subscription { ordersChanged { kind cursor order { id status version } } }';

/** Subscribed owners, who count what they receive. */
class Owners {
  readonly #url: string;
  readonly #sockets: WebSocket[] = [];
  received = 0;

  constructor(system: System) {
    this.#url = `${system.gateway.url.replace('http', 'ws')}/graphql`;
  }

  async subscribe(from: number, to: number): Promise<void> {
    let next = from;
    const worker = async (): Promise<void> => {
      while (next < to) {
        next += 1;
        await this.#connect(`owner-${next - 1}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** Disconnects all owners but the first ones. */
  close(kept = 0): void {
    for (const socket of this.#sockets.splice(kept)) socket.terminate();
  }

  async #connect(owner: string): Promise<void> {
    const socket = new WebSocket(this.#url, 'graphql-transport-ws');
    this.#sockets.push(socket);
    await once(socket, 'open');
    const authorization = `Bearer ${await signToken({ sub: owner })}`;
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
    await once(socket, 'message');
    socket.on('message', (data) => {
      const text = String(data);
      if (text.includes('"type":"next"')) this.received += 1;
      if (text.includes('"type":"error"')) throw new Error(text);
    });
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }));
  }
}

function newOrder(owner: string): OrderState {
  const now = new Date();
  return {
    id: randomUUID(),
    owner,
    productId: 'kopi',
    quantity: 1,
    status: 'PENDING',
    rejectionReason: null,
    createdAt: now,
    decidedAt: null,
    version: 1,
    changedAt: now,
    cancelRequestedAt: null,
    cancelReason: null,
    cancelledAt: null,
  };
}

/** Writes changes of the active owners' orders for some time. @returns the number of changes */
async function change({ databases }: System, forMs: number): Promise<number> {
  const from = performance.now();
  let changes = 0;
  while (performance.now() - from < forMs) {
    const due = Math.floor(((performance.now() - from) * RATE) / 1_000) - changes;
    const orders = Array.from({ length: due }, (_, index) =>
      newOrder(`owner-${(changes + index) % ACTIVE}`),
    );
    await databases.order(
      `INSERT INTO outbox (topic, key, value, version)
       SELECT 'order_changed', convert_to(key, 'UTF8'), convert_to(value, 'UTF8'), 1
       FROM unnest($1::text[], $2::text[]) AS made (key, value)`,
      [
        orders.map(({ id }) => id),
        orders.map((order) => encodeOrderChanged({ order, previousStatus: null })),
      ],
    );
    changes += due;
    await pause(STEP_MS);
  }
  return changes;
}

const PARTS = ['order', 'gateway'] as const;

/** CPU time of one part of the system. */
interface Cost {
  /** The part without changes, in milliseconds per second. */
  readonly idle: number;
  /** The part of a change and its delivery, in microseconds. */
  readonly change: number;
}
type Costs = Readonly<Record<(typeof PARTS)[number], Cost>>;

async function measure(system: System, owners: Owners): Promise<Costs> {
  const run = async (forMs: number): Promise<number> => {
    const before = owners.received;
    const changes = await change(system, forMs);
    await eventually(
      () => owners.received - before,
      (received) => received >= changes,
      { until: 'all changes have arrived', within: 120_000 },
    );
    return changes;
  };
  const read = async () => ({
    at: performance.now(),
    cpu: await Promise.all(PARTS.map((part) => treeCpuMs(system[part].pid))),
  });
  await run(WARM_UP_MS);
  const first = await read();
  await pause(IDLE_MS);
  const second = await read();
  const changes = await run(MEASURED_MS);
  const third = await read();
  const costs = PARTS.map((part, index) => {
    const spent = (from: typeof first, to: typeof first): number =>
      (to.cpu[index] ?? 0) - (from.cpu[index] ?? 0);
    const idle = spent(first, second) / (second.at - first.at);
    const ofChanges = spent(second, third) - idle * (third.at - second.at);
    return [part, { idle: idle * 1_000, change: (ofChanges * 1_000) / changes }] as const;
  });
  for (const [part, { idle, change: cost }] of costs) {
    checks.print(
      `${part}: ${cost.toFixed(0)} µs a change, and ${idle.toFixed(1)} ms/s without changes`,
    );
  }
  return Object.fromEntries(costs) as unknown as Costs;
}

const checks = createChecks();
const environment = { all: { ...SECURED }, gateway: { LIMIT_MEMORY_MIB: '2048' } };
await withBenchSystem({ environment }, async (system) => {
  const owners = new Owners(system);
  try {
    await compare(system, owners);
  } finally {
    owners.close();
  }
});

async function compare(system: System, owners: Owners): Promise<void> {
  const subscribed = async (count: number): Promise<void> => {
    await eventually(
      () => gatewayMetric(system, 'gateway_live_upstreams'),
      (streams) => streams === count,
      { until: `${count} owners are subscribed`, within: 300_000 },
    );
  };
  const measured = async (count: number): Promise<Costs> => {
    await subscribed(count);
    checks.print(`${count} owners subscribed`);
    return measure(system, owners);
  };
  await owners.subscribe(0, ACTIVE);
  const before = await measured(ACTIVE);
  await owners.subscribe(ACTIVE, OWNERS);
  const many = await measured(OWNERS);
  owners.close(ACTIVE);
  const after = await measured(ACTIVE);
  for (const part of PARTS) {
    const few = (before[part].change + after[part].change) / 2;
    const ratio = many[part].change / few;
    checks.verify(
      `${part}: a change costs at most ${LIMIT} times as much`,
      ratio <= LIMIT,
      ratio.toFixed(2),
    );
  }
}
