/**
 * Applies every overlay to a real API server by a server-side dry run, under restricted Pod Security and
 * with the resource definitions of the operators. Then, as root on Linux, starts a cluster of one node and
 * runs the overlay `local` in it. Prints one line per check; the exit code is 1 if one failed.
 *
 * Usage: npm run k8s:try -- [--bin DIRECTORY]... [--work DIRECTORY] [--dry-run-only]
 *
 * --bin: folders with programs, in addition to PATH. Missing programs of Kubernetes are built from their Go
 *   modules, which takes minutes the first time. etcd must be installed.
 * --work: folder for sources, programs, images and logs, kept between runs
 */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startApiServer } from './api-server.ts';
import { findOrBuild, type Programs } from './binaries.ts';
import { createNamespaces, dryRunFaults, dryRunOverlays, installDefinitions } from './dry-run.ts';
import { tryNode } from './node.ts';
import { Processes } from './processes.ts';
import { Report } from './report.ts';
import { findResourceDefinitions } from './resource-definitions.ts';

const { values } = parseArgs({
  options: {
    bin: { type: 'string', multiple: true, default: [] },
    work: { type: 'string', default: join(tmpdir(), 'gudang-kubernetes') },
    'dry-run-only': { type: 'boolean', default: false },
  },
});

const report = new Report();
const print = (line: string): void => report.print(line);
const programs: Programs = { folders: values.bin, work: values.work, print };
await mkdir(join(values.work, 'bin'), { recursive: true });

await tryDryRuns();
if (!values['dry-run-only']) await tryNode(report, programs);
report.print(report.failures === 0 ? 'all checks passed' : `${report.failures} checks failed`);
process.exitCode = report.failures === 0 ? 0 : 1;

async function tryDryRuns(): Promise<void> {
  const directory = join(values.work, 'dry-run');
  await mkdir(directory, { recursive: true });
  const found = {
    etcd: await findOrBuild('etcd', programs),
    kubeApiserver: await findOrBuild('kube-apiserver', programs),
    kubectl: await findOrBuild('kubectl', programs),
  };
  const files = await findResourceDefinitions(values.work);
  const processes = new Processes(directory);
  try {
    const { kubectl } = await startApiServer(processes, {
      directory,
      address: '127.0.0.1',
      programs: found,
    });
    const { stdout } = await kubectl(['get', '--raw', '/version']);
    print(`API server ${JSON.parse(stdout).gitVersion}`);
    const isReady =
      (await report.check('resource definitions of the operators', () =>
        installDefinitions(kubectl, files),
      )) && (await report.check('restricted namespaces', () => createNamespaces(kubectl)));
    if (!isReady) return;
    await dryRunOverlays(kubectl, report);
    await dryRunFaults(kubectl, report);
  } finally {
    await processes.stop();
  }
}
