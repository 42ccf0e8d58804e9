import { fileURLToPath } from 'node:url';
import { type CheckedCluster, gatewayUrl, NAMESPACE } from './checked-cluster.ts';
import { startNameService } from './name-service.ts';
import { checkPolicies } from './policy-checks.ts';
import { checkProbes } from './probe-checks.ts';
import { poll, type Report } from './report.ts';
import { startRequests } from './steady-requests.ts';

const OVERLAY = fileURLToPath(new URL('../../../k8s/overlays/local', import.meta.url));
const DEPLOYMENTS = ['gateway', 'order-subgraph', 'stock-subgraph'];

/** Runs the overlay `local` and checks it. */
export async function checkCluster(cluster: CheckedCluster, report: Report): Promise<void> {
  const { kubectl } = cluster;
  await report.check('the name service runs', () => startNameService(cluster));
  const isUp = await report.check('kubectl apply -k k8s/overlays/local comes up', async () => {
    await kubectl(['apply', '-f', '-'], JSON.stringify(volumesOf(cluster.volumes)));
    await kubectl(['apply', '-k', OVERLAY]);
    await kubectl([
      ...NAMESPACE,
      'wait',
      '--for=condition=complete',
      '--timeout=300s',
      'job/migrate',
    ]);
    for (const name of DEPLOYMENTS) await rolledOut(cluster, name);
    return undefined;
  });
  if (!isUp) {
    report.print((await kubectl([...NAMESPACE, 'get', 'pods', '-o', 'wide'])).stdout);
    report.print((await kubectl([...NAMESPACE, 'get', 'events'])).stdout);
    return;
  }
  const url = await gatewayUrl(cluster);
  await report.check('an order settles', () => settle(url));
  for (const name of DEPLOYMENTS) {
    await report.check(`a rolling update of ${name} fails no request`, () =>
      rollUnderLoad(cluster, name, url),
    );
  }
  await checkProbes(cluster, report);
  if (cluster.enforcesPolicies) await checkPolicies(cluster, report);
  else report.skip('network policies', 'kube-router is not in a folder of --bin');
}

/** Volumes of this machine's folders. A cluster of kind has a storage class instead. */
function volumesOf(folder: string): object {
  const items = ['postgres', 'kafka'].map((name) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '5Gi' },
      hostPath: { path: `${folder}/${name}` },
      claimRef: { namespace: 'gudang', name: `data-${name}-0` },
    },
  }));
  return { apiVersion: 'v1', kind: 'List', items };
}

async function rolledOut({ kubectl }: CheckedCluster, name: string): Promise<void> {
  await kubectl([...NAMESPACE, 'rollout', 'status', `deployment/${name}`, '--timeout=300s']);
}

async function send<T>(url: string, query: string, variables: object = {}): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: T; errors?: unknown };
  if (errors || !data) throw new Error(JSON.stringify(errors));
  return data;
}

async function settle(url: string): Promise<string> {
  await send(
    url,
    'mutation { addStock(input: { id: "kopi", name: "Kopi", quantity: 100000 }) { id } }',
  );
  const { createOrder } = await send<{ createOrder: { id: string } }>(
    url,
    'mutation { createOrder(input: { productId: "kopi", quantity: 2 }) { id } }',
  );
  return poll('the order is decided', 120, async () => {
    const query = 'query ($id: ID!) { order(id: $id) { status stock { quantity } } }';
    const { order } = await send<{ order: { status: string } }>(url, query, createOrder);
    return order.status === 'PENDING' ? undefined : JSON.stringify(order);
  });
}

async function rollUnderLoad(cluster: CheckedCluster, name: string, url: string): Promise<string> {
  const requests = startRequests(async () => {
    const { createOrder } = await send<{ createOrder: { id: string } }>(
      url,
      'mutation { createOrder(input: { productId: "kopi", quantity: 1 }) { id } }',
    );
    await send(
      url,
      'query ($id: ID!) { order(id: $id) { status stock { quantity } } }',
      createOrder,
    );
  });
  try {
    await cluster.kubectl([...NAMESPACE, 'rollout', 'restart', `deployment/${name}`]);
    await rolledOut(cluster, name);
    // The old pod still drains.
    await poll('the old pod is gone', 90, async () => {
      const { stdout } = await cluster.kubectl([
        ...NAMESPACE,
        'get',
        'pods',
        '-l',
        `app.kubernetes.io/name=${name}`,
        '-o',
        'name',
      ]);
      return stdout.trim().split('\n').length === 1 ? true : undefined;
    });
  } finally {
    await requests.stop();
  }
  const { sent, failures } = requests;
  if (failures.length > 0)
    throw new Error(`${failures.length} of ${sent()} failed: ${failures[0]}`);
  return `${sent()} orders and queries`;
}
