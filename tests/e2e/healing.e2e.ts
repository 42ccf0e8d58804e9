import { useSystem } from '@gudang/testing/system/use-system';
import { expect, test } from 'vitest';
import { startWatchedOrders } from './watched-orders.ts';

/** Maximum time from SIGKILL until new orders are decided and subscribers receive the changes. */
const HEALS_WITHIN_MS = 15_000;

const system = useSystem();

test.each(['gateway', 'order', 'stock'] as const)(
  'orders and live streams recover after SIGKILL of %s under load',
  async (name) => {
    const { graph, gateway } = system();
    const orders = await startWatchedOrders(graph, () => gateway.url);
    await orders.flows(HEALS_WITHIN_MS);
    const connections = orders.watch.connections();

    const part = system()[name];
    const killed = part.pid;
    const at = performance.now();
    part.kill('SIGKILL');
    expect(await part.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await part.restart();
    expect(part.pid).not.toBe(killed);
    await orders.flows(HEALS_WITHIN_MS);
    expect(performance.now() - at).toBeLessThan(HEALS_WITHIN_MS);

    await orders.settle(HEALS_WITHIN_MS);
    // Clients lose their connection only if the killed process is the gateway.
    expect(orders.watch.connections() - connections).toBe(name === 'gateway' ? 1 : 0);
  },
);
