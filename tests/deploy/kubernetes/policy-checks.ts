import { type CheckedCluster, NAMESPACE } from './checked-cluster.ts';
import { poll, type Report } from './report.ts';

/** A connection from a pod: `node` in a container of a deployment connects to an address. */
interface Connection {
  readonly namespace: string;
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly isAllowed: boolean;
}

const at = (name: string): string => `${name}.gudang.svc.cluster.local`;
const inside = (from: string, to: string, port: number, isAllowed: boolean): Connection => ({
  namespace: 'gudang',
  from,
  to: at(to),
  port,
  isAllowed,
});
const outside = (to: string, port: number, isAllowed: boolean): Connection => ({
  namespace: 'default',
  from: 'stranger',
  to: at(to),
  port,
  isAllowed,
});

const CONNECTIONS: readonly Connection[] = [
  inside('gateway', 'order-subgraph', 8000, true),
  inside('gateway', 'stock-subgraph', 8001, true),
  inside('gateway', 'postgres', 5432, false),
  inside('gateway', 'kafka', 9092, false),
  inside('order-subgraph', 'postgres', 5432, true),
  inside('order-subgraph', 'kafka', 9092, true),
  inside('order-subgraph', 'stock-subgraph', 8001, false),
  outside('gateway', 4000, true),
  outside('order-subgraph', 8000, false),
  outside('stock-subgraph', 8001, false),
  outside('postgres', 5432, false),
  outside('kafka', 9092, false),
];

const CONNECT = `const [host, port] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port, timeout: 3000 });
const end = (text) => { console.log(text); process.exit(0); };
socket.on('connect', () => end('connected')).on('timeout', () => end('time-out')).on('error', (e) => end(e.code));`;

/** Checks which connections the network policies allow and refuse. */
export async function checkPolicies(cluster: CheckedCluster, report: Report): Promise<void> {
  const { kubectl } = cluster;
  await report.check('a pod of another namespace runs', async () => {
    const path = ['-o', 'jsonpath={.spec.template.spec.containers[0].image}'];
    const { stdout } = await kubectl([...NAMESPACE, 'get', 'deployment/gateway', ...path]);
    const command = ['--command', '--', 'node', '-e', 'setInterval(() => {}, 1e9)'];
    await kubectl(['create', 'deployment', 'stranger', `--image=${stdout}`, ...command.slice(1)]);
    await kubectl(['rollout', 'status', 'deployment/stranger', '--timeout=60s']);
    return undefined;
  });
  for (const { namespace, from, to, port, isAllowed } of CONNECTIONS) {
    const expected = isAllowed ? 'allow' : 'refuse';
    await report.check(`network policies ${expected} ${from} → ${to}:${port}`, () =>
      // A policy is enforced soon after the pod starts.
      poll('as expected', 20, async () => {
        const command = ['node', '-e', CONNECT, to, String(port)];
        const { stdout } = await kubectl([
          ...['-n', namespace, 'exec', `deployment/${from}`, '--'],
          ...command,
        ]);
        const isConnected = stdout.trim() === 'connected';
        return isConnected === isAllowed ? stdout.trim() : undefined;
      }),
    );
  }
}
