import { setTimeout as pause } from 'node:timers/promises';
import { floodOrders } from '@gudang/testing/clients/order-load';
import { startChild } from '../live/child.ts';
import type { Measured, MeasuredSystem } from './measured-system.ts';

const QUERY = 'subscription { stockChanged { cursor stock { id quantity version } } }';
const IDLE_MS = 10_000;
const SETTLES_MS = 2_000;

export interface Deliveries {
  /** CPU time needed to connect the clients, from the handshake to the subscription. */
  readonly connecting: Measured<unknown>;
  readonly idle: Measured<unknown>;
  /** Number of events that the clients received. */
  readonly received: number;
  readonly delivering: Measured<unknown>;
  /** Memory of all gateways before the clients connect and with them, in KiB. */
  readonly rssKib: readonly [before: number, withClients: number];
}

/**
 * Connects clients of one stream to all gateways. Measures the CPU time twice: while the clients
 * are idle, and while another producer sends changes through Kafka at a steady rate.
 */
export async function deliverChanges(
  measured: MeasuredSystem,
  {
    clients,
    changes,
    changesPerSecond,
  }: { clients: number; changes: number; changesPerSecond: number },
  rssKib: () => Promise<number>,
): Promise<Deliveries> {
  const { measure, stockIds, system, url } = measured;
  const clientProcess = await startChild('clients.ts');
  try {
    const before = await rssKib();
    const open = { url: `${url.replace('http', 'ws')}/graphql`, count: clients, queries: [QUERY] };
    const connecting = await measure(() => clientProcess.ask({ open }));
    await pause(SETTLES_MS);
    const idle = await measure(() => pause(IDLE_MS));
    const withClients = await rssKib();
    await clientProcess.ask({ report: true });
    const delivering = await measure(async () => {
      await floodOrders(system, {
        ids: stockIds,
        count: changes,
        ordersPerSecond: changesPerSecond,
      });
      await pause(SETTLES_MS);
    });
    const { received } = await clientProcess.ask<{ received: number }>({ report: true });
    return { connecting, idle, received, delivering, rssKib: [before, withClients] };
  } finally {
    await clientProcess.stop();
  }
}
