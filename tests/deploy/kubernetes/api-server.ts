import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Processes } from './processes.ts';
import { poll } from './report.ts';

const exec = promisify(execFile);

const TOKEN = 'for-this-test-alone';
export const SERVICE_RANGE = '10.96.0.0/16';

export interface ApiServer {
  /** A kubeconfig with full rights. */
  readonly kubeconfig: string;
  readonly url: string;
  readonly token: string;
  readonly serviceAccountKey: string;
  readonly kubectl: Kubectl;
}

/**
 * Runs kubectl with full rights.
 * @param input standard input
 * @throws if the exit code is not 0; the message is what kubectl wrote
 */
export type Kubectl = (args: readonly string[], input?: string) => Promise<KubectlOutput>;

interface KubectlOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts etcd and an API server. @param address on which the API server listens */
export async function startApiServer(
  processes: Processes,
  {
    directory,
    address,
    programs,
  }: {
    /** An existing folder. */
    directory: string;
    address: string;
    programs: { readonly etcd: string; readonly kubeApiserver: string; readonly kubectl: string };
  },
): Promise<ApiServer> {
  const data = join(directory, 'etcd');
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { mode: 0o700 });
  const [clients, peers, port] = await freePorts(3);
  const etcd = `http://127.0.0.1:${clients}`;
  const peer = `http://127.0.0.1:${peers}`;
  processes.start('etcd', programs.etcd, [
    `--data-dir=${data}`,
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
  ]);
  const key = join(directory, 'service-accounts.key');
  await exec('openssl', ['genrsa', '-out', key, '2048']);
  const tokens = join(directory, 'tokens.csv');
  await writeFile(tokens, `${TOKEN},admin,admin,system:masters\n`);
  processes.start('kube-apiserver', programs.kubeApiserver, [
    `--etcd-servers=${etcd}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    `--secure-port=${port}`,
    `--cert-dir=${join(directory, 'certificates')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--token-auth-file=${tokens}`,
    '--authorization-mode=Node,RBAC',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--endpoint-reconciler-type=none',
    '--kubelet-preferred-address-types=InternalIP',
  ]);
  const url = `https://${address}:${port}`;
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(url)));
  const kubectl = createKubectl(programs.kubectl, kubeconfig);
  await poll('the API server is ready', 120, async () => {
    processes.assertRunning();
    const { stdout } = await kubectl(['get', '--raw', '/readyz']);
    return stdout === 'ok' ? true : undefined;
  });
  return { kubeconfig, url, token: TOKEN, serviceAccountKey: key, kubectl };
}

function kubeconfigOf(server: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'try', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token: TOKEN } }],
    contexts: [{ name: 'try', context: { cluster: 'try', user: 'admin' } }],
    'current-context': 'try',
  };
}

function createKubectl(command: string, kubeconfig: string): Kubectl {
  return async (args, input) => {
    const child = spawn(command, ['--kubeconfig', kubeconfig, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(stderr.trim() || `kubectl ended with exit code ${code}`);
    return { stdout, stderr };
  };
}

/** Returns free ports of the loopback address. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
