import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOrBuild, findProgram, type Programs } from './binaries.ts';
import { findImages } from './images.ts';
import type { NodePrograms } from './node-components.ts';
import type { Report } from './report.ts';

/** Programs of the machine's distribution. They are not built. */
const INSTALLED = ['containerd', 'ctr', 'ip', 'iptables', 'mount', 'runc', 'unshare'];

/** Folders of the plugins that `--bin` may name, and that are built otherwise. */
const PLUGINS = ['bridge', 'host-local', 'loopback'];

/** What the process inside the namespaces gets, as JSON. */
export interface NodeOptions {
  readonly directory: string;
  readonly programs: NodePrograms;
  readonly images: readonly string[];
}

/**
 * Starts a cluster of one node and checks the overlay `local` in it. The node runs in new namespaces for
 * the network, mounts and processes, so that it changes nothing on this machine and ends as a whole.
 */
export async function tryNode(report: Report, programs: Programs): Promise<void> {
  const missing = INSTALLED.filter((name) => !findProgram(name, programs.folders));
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  if (!isRoot || missing.length > 0) {
    const reason = isRoot ? `install ${missing.join(', ')}` : 'it needs root on Linux';
    report.skip('cluster of one node', reason);
    return;
  }
  const directory = join(programs.work, 'node');
  await mkdir(directory, { recursive: true });
  const find = (name: string): Promise<string> => findOrBuild(name, programs);
  const options: NodeOptions = {
    directory,
    images: await findImages(programs),
    programs: {
      etcd: await find('etcd'),
      kubeApiserver: await find('kube-apiserver'),
      kubectl: await find('kubectl'),
      controllerManager: await find('kube-controller-manager'),
      scheduler: await find('kube-scheduler'),
      kubelet: await find('kubelet'),
      proxy: await find('kube-proxy'),
      plugins: await Promise.all(PLUGINS.map(find)),
      policies: findProgram('kube-router', [...programs.folders, join(programs.work, 'bin')]),
    },
  };
  await report.check('cluster of one node', async () => {
    const code = await runInNamespaces(JSON.stringify(options));
    if (code !== 0) throw new Error(`checks failed; the logs are in ${directory}`);
    return undefined;
  });
}

async function runInNamespaces(options: string): Promise<number> {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const script = fileURLToPath(new URL('./run-node.ts', import.meta.url));
  const command = [process.execPath, ...process.execArgv, script, options];
  const child = spawn('unshare', [...namespaces, '--', ...command], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return Number(code ?? 1);
}
