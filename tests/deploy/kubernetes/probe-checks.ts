import { type CheckedCluster, NAMESPACE } from './checked-cluster.ts';
import { poll, type Report } from './report.ts';

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses: readonly {
      readonly containerID: string;
      readonly ready: boolean;
      readonly restartCount: number;
    }[];
  };
}

/** Returns the only pod of a service, and the state of its container. */
async function podOf({ kubectl }: CheckedCluster, name: string) {
  const labels = ['-l', `app.kubernetes.io/name=${name}`, '-o', 'json'];
  const { stdout } = await kubectl([...NAMESPACE, 'get', 'pods', ...labels]);
  const [pod] = JSON.parse(stdout).items as Pod[];
  const [container] = pod?.status.containerStatuses ?? [];
  if (!pod || !container) throw new Error(`${name} has no pod`);
  return { name: pod.metadata.name, ...container };
}

/** Checks what the kubelet does when a service hangs, and when a part that it needs is unavailable. */
export async function checkProbes(cluster: CheckedCluster, report: Report): Promise<void> {
  await report.check('the liveness probe restarts a gateway that hangs', async () => {
    const { containerID, restartCount } = await podOf(cluster, 'gateway');
    process.kill(await cluster.processOf(containerID.replace('containerd://', '')), 'SIGSTOP');
    const from = performance.now();
    await poll('the gateway is not ready', 60, async () =>
      (await podOf(cluster, 'gateway')).ready ? undefined : true,
    );
    const unready = Math.round((performance.now() - from) / 1000);
    await poll('the container is restarted and ready', 180, async () => {
      const now = await podOf(cluster, 'gateway');
      return now.restartCount > restartCount && now.ready ? true : undefined;
    });
    return `not ready after ${unready} s, ready again after ${Math.round((performance.now() - from) / 1000)} s`;
  });
  await report.check('the readiness probe follows the database, without restarts', async () => {
    const { restartCount } = await podOf(cluster, 'stock-subgraph');
    const scale = (replicas: number) =>
      cluster.kubectl([...NAMESPACE, 'scale', 'statefulset/postgres', `--replicas=${replicas}`]);
    await scale(0);
    await poll('the stock subgraph is not ready', 120, async () =>
      (await podOf(cluster, 'stock-subgraph')).ready ? undefined : true,
    );
    await scale(1);
    await poll('the stock subgraph is ready', 180, async () =>
      (await podOf(cluster, 'stock-subgraph')).ready ? true : undefined,
    );
    const now = await podOf(cluster, 'stock-subgraph');
    if (now.restartCount !== restartCount) throw new Error('the container was restarted');
    return undefined;
  });
}
