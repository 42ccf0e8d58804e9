import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { Acknowledged } from '../history.ts';
import type { Product } from './products.ts';

const CLIENTS = 8;
const LOOK_EVERY_MS = 50;
/** On the average: well above what keeps a connection busy, so that some are idle when a server stops. */
const BETWEEN_ORDERS_MS = 200;
const CREATE_ORDER = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }`;

/** Clients whose requests may not fail: what became of them all. */
export interface SteadyClients {
  /** @returns what failed, by code */
  readonly stop: () => Promise<ReadonlyMap<string, number>>;
}

/**
 * They keep their connections, heed `connection: close`, and go where `/readyz` says 200, as behind a load balancer;
 * no request is tried twice.
 */
export function startSteadyClients({
  parts,
  product,
  acknowledged,
}: {
  parts: () => readonly ServiceProcess[];
  /** What they order: one unit each. */
  product: Product;
  acknowledged: (order: Acknowledged) => void;
}): SteadyClients {
  const failures = new Map<string, number>();
  let ready: readonly string[] = [];
  let over = false;

  const look = async (): Promise<void> => {
    while (!over) {
      const looked = parts().map(async ({ url, readiness }) => {
        const { status } = await readiness().catch(() => ({ status: 0 }));
        return status === 200 ? [url] : [];
      });
      ready = (await Promise.all(looked)).flat();
      await pause(LOOK_EVERY_MS);
    }
  };
  const order = async (url: string): Promise<void> => {
    const wish = { productId: product.id, quantity: 1 };
    const began = performance.now();
    // fetch keeps connections by itself, and goes on from an answer that was read to its end.
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: CREATE_ORDER, variables: { input: wish } }),
    });
    const { data, errors } = (await response.json()) as {
      data?: { createOrder: { id: string } };
      errors?: readonly { extensions?: { code?: string } }[];
    };
    const id = data?.createOrder.id;
    if (!id) throw new Error(errors?.[0]?.extensions?.code ?? `HTTP ${response.status}`);
    const latency = performance.now() - began;
    acknowledged({ ...wish, id, idempotencyKey: null, latency, answeredIn: latency });
  };
  const work = async (client: number): Promise<void> => {
    for (let turn = client; !over; turn += 1) {
      const url = ready[turn % ready.length];
      if (url) {
        await order(url).catch((error: Error & { cause?: { code?: string } }) => {
          const why = error.cause?.code ?? error.message;
          failures.set(why, (failures.get(why) ?? 0) + 1);
        });
      }
      await pause(2 * BETWEEN_ORDERS_MS * Math.random());
    }
  };
  const working = [look(), ...Array.from({ length: CLIENTS }, (_, client) => work(client))];

  return {
    stop: async () => {
      over = true;
      await Promise.all(working);
      return failures;
    },
  };
}
