import { type Balancer, startBalancer } from '../proxy/balancer.ts';
import type { Part } from './part.ts';
import { type Service, type System, type SystemOptions, startSystem } from './system.ts';

/** Several replicas of each service, each reached through a balancer alone. */
export interface ReplicatedSystem {
  readonly system: System;
  /** Of all gateways. */
  readonly url: string;
  /** Those that have not been told to go. */
  readonly running: (service: Service) => readonly Part[];
  /**
   * No new connection leads to it any more, then SIGTERM: the order in which Kubernetes ends a pod.
   * @returns whether it ended in time
   */
  readonly retire: (part: Part) => Promise<boolean>;
  /** Ends them all, and the balancers. */
  readonly stop: () => Promise<void>;
}

const LISTS = { order: 'orders', stock: 'stocks', gateway: 'gateways' } as const;

export async function startReplicatedSystem(
  replicas: number,
  options: SystemOptions,
): Promise<ReplicatedSystem> {
  const balancers = new Map<Service, Promise<Balancer>>();
  let system: System | undefined;
  const leaving = new Set<Part>();
  const running = (service: Service) =>
    system?.[LISTS[service]].filter((part) => !leaving.has(part)) ?? [];
  /** Once for each service: while the system starts, its first replica is the only one. */
  const balancerOf = (service: Service, first: string): Promise<Balancer> => {
    const addresses = () => (system ? running(service).map(({ url }) => url) : [first]);
    const balancer = balancers.get(service) ?? startBalancer(addresses);
    balancers.set(service, balancer);
    return balancer;
  };
  const stop = async (): Promise<void> => {
    await system?.stop();
    for (const balancer of balancers.values()) await (await balancer).stop();
  };
  try {
    system = await startSystem({
      ...options,
      orders: replicas,
      stocks: replicas,
      gateways: replicas,
      through: async ({ from, to }, address) => {
        if (from !== 'gateway' || (to !== 'order' && to !== 'stock')) return address;
        const { origin, pathname } = new URL(address);
        return (await balancerOf(to, origin)).url + pathname;
      },
    });
    const { url } = await balancerOf('gateway', system.gateway.url);
    const retire = (part: Part): Promise<boolean> => {
      leaving.add(part);
      return part.stop();
    };
    return { system, url, running, retire, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
