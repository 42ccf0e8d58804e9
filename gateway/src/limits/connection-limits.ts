import type { Metrics } from '@gudang/runtime';
import { isLoopback } from './client-address.ts';
import { LimitExceeded } from './limit-exceeded.ts';

/** Live connections, websockets and streams alike, in all and of each address. */
export interface ConnectionLimits {
  /**
   * Counts one in. @returns how to count it out
   * @throws {LimitExceeded}
   */
  readonly enter: (address: string) => () => void;
}

export function createConnectionLimits(
  { all, perAddress }: { all: number; perAddress: number },
  metrics: Metrics,
): ConnectionLimits {
  const refused = metrics.counter(
    'gateway_refused_connections_total',
    'Live connections that were refused since there were as many as may be',
    ['limit'],
  );
  const ofAddress = new Map<string, number>();
  let open = 0;
  return {
    enter: (address) => {
      const own = ofAddress.get(address) ?? 0;
      if (own >= perAddress && !isLoopback(address)) {
        refused.inc({ limit: 'addressConnections' });
        throw new LimitExceeded('addressConnections', {
          actual: own + 1,
          max: perAddress,
          status: 429,
        });
      }
      if (open >= all) {
        refused.inc({ limit: 'connections' });
        throw new LimitExceeded('connections', { actual: open + 1, max: all, status: 503 });
      }
      open += 1;
      ofAddress.set(address, own + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        open -= 1;
        const rest = (ofAddress.get(address) ?? 1) - 1;
        if (rest > 0) ofAddress.set(address, rest);
        else ofAddress.delete(address);
      };
    },
  };
}
