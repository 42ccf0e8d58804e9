import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { Acknowledged } from '../history.ts';
import type { Product } from './products.ts';

const CLIENTS = 8;
const PROBE_EVERY_MS = 50;
/**
 * Average pause between orders, in milliseconds. It is so long that some connections are idle when a
 * server stops.
 */
const BETWEEN_ORDERS_MS = 200;
const CREATE_ORDER = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }`;

/** Clients whose requests must not fail. */
export interface SteadyClients {
  /** @returns number of failures by error code */
  readonly stop: () => Promise<ReadonlyMap<string, number>>;
}

/**
 * Starts clients that behave as if they were behind a load balancer: they reuse connections, honor
 * `connection: close`, and use only replicas whose `/readyz` responds with 200. They never retry a
 * request.
 */
export function startSteadyClients({
  parts,
  product,
  acknowledged,
}: {
  parts: () => readonly ServiceProcess[];
  /** Each order is for one unit of this product. */
  product: Product;
  acknowledged: (order: Acknowledged) => void;
}): SteadyClients {
  const failures = new Map<string, number>();
  let ready: readonly string[] = [];
  let stopped = false;

  const probeReplicas = async (): Promise<void> => {
    while (!stopped) {
      const probes = parts().map(async ({ url, readiness }) => {
        const { status } = await readiness().catch(() => ({ status: 0 }));
        return status === 200 ? [url] : [];
      });
      ready = (await Promise.all(probes)).flat();
      await pause(PROBE_EVERY_MS);
    }
  };
  const order = async (url: string): Promise<void> => {
    const input = { productId: product.id, quantity: 1 };
    const began = performance.now();
    // fetch reuses a connection only after the response body has been read.
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: CREATE_ORDER, variables: { input: input } }),
    });
    const { data, errors } = (await response.json()) as {
      data?: { createOrder: { id: string } };
      errors?: readonly { extensions?: { code?: string } }[];
    };
    const id = data?.createOrder.id;
    if (!id) throw new Error(errors?.[0]?.extensions?.code ?? `HTTP ${response.status}`);
    const latency = performance.now() - began;
    acknowledged({ ...input, id, idempotencyKey: null, latency, answeredIn: latency });
  };
  const work = async (client: number): Promise<void> => {
    for (let turn = client; !stopped; turn += 1) {
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
  const working = [
    probeReplicas(),
    ...Array.from({ length: CLIENTS }, (_, client) => work(client)),
  ];

  return {
    stop: async () => {
      stopped = true;
      await Promise.all(working);
      return failures;
    },
  };
}
