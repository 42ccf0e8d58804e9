import type { Manifest } from './render.ts';

/** Pods of Gudang. */
const OURS = ['gateway', 'order-subgraph', 'stock-subgraph', 'migrate'];

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly values: string[] }[];
}

const NAME = 'app.kubernetes.io/name';

/** Returns the pods that a selector matches. */
function selected({ matchLabels, matchExpressions }: Selector): string[] {
  const name = matchLabels?.[NAME];
  if (name) return [name];
  const named = matchExpressions?.find(({ key }) => key === NAME);
  return named ? named.values : OURS;
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string };
}

function nameOf(peer: Peer, ports: readonly { readonly port: unknown }[]): string[] {
  if (peer.ipBlock) return ports.map(({ port }) => `${peer.ipBlock?.cidr}:${port}`);
  const labels = peer.podSelector?.matchLabels;
  if (labels?.['k8s-app'] === 'kube-dns') return ['DNS'];
  const cluster = labels?.['cnpg.io/cluster'] ?? labels?.['strimzi.io/cluster'];
  if (cluster) return [cluster];
  const namespace = peer.namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'];
  return namespace ? [namespace] : selected(peer.podSelector ?? {});
}

/**
 * Lists the connections that the egress rules of network policies allow, for example
 * `gateway → order-subgraph`.
 */
export function allowedConnections(policies: readonly Manifest[]): string[] {
  return policies.flatMap(({ spec }) =>
    (spec.egress ?? []).flatMap(({ to, ports }: { to: Peer[]; ports: { port: unknown }[] }) =>
      selected(spec.podSelector).flatMap((from) =>
        to.flatMap((peer) => nameOf(peer, ports).map((target) => `${from} → ${target}`)),
      ),
    ),
  );
}
