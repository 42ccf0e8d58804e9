import { isLoopbackAddress, type Metrics } from '@gudang/runtime';
import { LimitExceeded } from '../errors/limit-exceeded.ts';

/**
 * Limits the number of live connections (websockets and HTTP streams), in total and per address.
 */
export interface ConnectionLimits {
  /**
   * Counts a connection. @returns a function that stops counting it
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
    'Live connections rejected at the limit, by limit',
    ['limit'],
  );
  const byAddress = new Map<string, number>();
  let open = 0;
  return {
    enter: (address) => {
      const own = byAddress.get(address) ?? 0;
      if (own >= perAddress && !isLoopbackAddress(address)) {
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
      byAddress.set(address, own + 1);
      let released = false;
      return () => {
        if (released) return;
        released = true;
        open -= 1;
        const rest = (byAddress.get(address) ?? 1) - 1;
        if (rest > 0) byAddress.set(address, rest);
        else byAddress.delete(address);
      };
    },
  };
}
