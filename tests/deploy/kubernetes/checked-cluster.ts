import type { RunningNode } from './node-components.ts';

export interface CheckedCluster extends RunningNode {
  /** The folder with a folder for each volume: `postgres` and `kafka`. */
  readonly volumes: string;
  readonly enforcesPolicies: boolean;
}

/** Arguments of kubectl for the namespace of the overlay. */
export const NAMESPACE = ['-n', 'gudang'];

/** Returns the gateway's address in the cluster, which kube-proxy translates to a pod's. */
export async function gatewayUrl({ kubectl }: RunningNode): Promise<string> {
  const path = ['-o', 'jsonpath={.spec.clusterIP}'];
  const { stdout } = await kubectl([...NAMESPACE, 'get', 'service', 'gateway', ...path]);
  return `http://${stdout}:4000/graphql`;
}
