/** Runs inside the namespaces that node.ts creates. Usage: run-node.ts OPTIONS, as JSON */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckedCluster } from './checked-cluster.ts';
import { checkCluster } from './cluster-checks.ts';
import type { NodeOptions } from './node.ts';
import { removeControlGroups, startNode } from './node-components.ts';
import { Processes } from './processes.ts';
import { Report } from './report.ts';

const { directory, images, programs }: NodeOptions = JSON.parse(process.argv[2] ?? '');
const report = new Report();
const processes = new Processes(directory);
const volumes = join(directory, 'volumes');
for (const name of ['kubelet', 'addresses', 'pods', 'volumes', 'containerd']) {
  await rm(join(directory, name), { recursive: true, force: true });
}
for (const name of ['postgres', 'kafka']) {
  await mkdir(join(volumes, name), { recursive: true });
  await chmod(join(volumes, name), 0o777);
}
try {
  let cluster: CheckedCluster | undefined;
  await report.check('the node is ready', async () => {
    const node = await startNode(processes, { directory, images, programs });
    cluster = { ...node, volumes, enforcesPolicies: programs.policies !== undefined };
    return undefined;
  });
  if (cluster) await checkCluster(cluster, report);
} finally {
  await processes.stop();
  await removeControlGroups();
}
process.exit(report.failures === 0 ? 0 : 1);
