import { type Balancer, startBalancer } from '../proxy/balancer.ts';
import type { ServiceProcess } from './service-process.ts';
import { type Service, type System, type SystemOptions, startSystem } from './system.ts';

/** Several replicas of each service behind load balancers. */
export interface ReplicatedSystem {
  readonly system: System;
  /** URL of the gateways' load balancer. */
  readonly url: string;
  /** Replicas that have not been retired. */
  readonly running: (service: Service) => readonly ServiceProcess[];
  /**
   * Removes a replica from its load balancer and then sends SIGTERM, as Kubernetes does when it
   * ends a pod.
   * @returns whether the replica ended in time
   */
  readonly retire: (part: ServiceProcess) => Promise<boolean>;
  /** Stops all processes and load balancers. */
  readonly stop: () => Promise<void>;
}

const LISTS = { order: 'orders', stock: 'stocks', gateway: 'gateways' } as const;

export async function startReplicatedSystem(
  replicas: number,
  options: SystemOptions,
): Promise<ReplicatedSystem> {
  const balancers = new Map<Service, Promise<Balancer>>();
  let system: System | undefined;
  const retired = new Set<ServiceProcess>();
  const running = (service: Service) =>
    system?.[LISTS[service]].filter((part) => !retired.has(part)) ?? [];
  /**
   * Returns a service's balancer. While the system starts, its only address is the first replica.
   */
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
    const retire = (part: ServiceProcess): Promise<boolean> => {
      retired.add(part);
      return part.stop();
    };
    return { system, url, running, retire, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
