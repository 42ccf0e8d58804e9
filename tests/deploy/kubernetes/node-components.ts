import { execFile } from 'node:child_process';
import { mkdir, readdir, rmdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type ApiServer, SERVICE_RANGE, startApiServer } from './api-server.ts';
import { PAUSE_IMAGE } from './images.ts';
import type { Processes } from './processes.ts';
import { poll } from './report.ts';

const exec = promisify(execFile);

export const NODE = 'node';
/** An address for documentation (RFC 5737): it exists only in the node's namespace. */
export const NODE_ADDRESS = '192.0.2.2';
export const DNS_ADDRESS = '10.96.0.10';
const POD_RANGE = '10.244.0.0/24';
const CGROUPS = '/sys/fs/cgroup';
const CGROUP = 'gudang-try';

/** Paths of programs. */
export interface NodePrograms {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  readonly controllerManager: string;
  readonly scheduler: string;
  readonly kubelet: string;
  readonly proxy: string;
  /** Plugins for networks: bridge, host-local and loopback. */
  readonly plugins: readonly string[];
  /** kube-router, which enforces network policies. */
  readonly policies: string | undefined;
}

export interface RunningNode extends ApiServer {
  /** Returns the id of the main process of a container. */
  readonly processOf: (containerId: string) => Promise<number>;
}

/** Starts the control plane and the node, and waits until the node is ready. */
export async function startNode(
  processes: Processes,
  {
    directory,
    programs,
    images,
  }: { directory: string; programs: NodePrograms; images: readonly string[] },
): Promise<RunningNode> {
  await prepareNamespaces();
  const server = await startApiServer(processes, { directory, address: NODE_ADDRESS, programs });
  startControllers(processes, programs, server);
  const ctr = await startContainerd(processes, directory, programs);
  for (const image of images) await ctr(['images', 'import', image]);
  await startKubelet(processes, directory, programs, server);
  const isReady = [
    'get',
    'node',
    NODE,
    '-o',
    'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
  ];
  await poll('the node is ready', 180, async () => {
    processes.assertRunning();
    return (await server.kubectl(isReady)).stdout === 'True' ? true : undefined;
  });
  return {
    ...server,
    processOf: async (containerId) => {
      const lines = (await ctr(['tasks', 'list'])).split('\n').map((line) => line.split(/\s+/));
      const found = lines.find(([id]) => id === containerId);
      if (!found) throw new Error(`there is no container ${containerId}`);
      return Number(found[1]);
    },
  };
}

/** Sets up the network, and mounts that other processes of this machine do not see. */
async function prepareNamespaces(): Promise<void> {
  const commands = [
    'mount --make-rshared /',
    'mount -t tmpfs tmpfs /run',
    'ip link set lo up',
    'ip link add node0 type veth peer name node1',
    `ip address add ${NODE_ADDRESS}/24 dev node0`,
    'ip link set node0 up',
    'ip link set node1 up',
    'ip route add default dev node0',
    'sysctl -qw net.ipv4.ip_forward=1',
    'sysctl -qw net.bridge.bridge-nf-call-iptables=1',
  ];
  for (const command of commands) {
    const [name = '', ...args] = command.split(' ');
    await exec(name, args);
  }
}

function startControllers(processes: Processes, programs: NodePrograms, server: ApiServer): void {
  const kubeconfig = `--kubeconfig=${server.kubeconfig}`;
  processes.start('kube-controller-manager', programs.controllerManager, [
    kubeconfig,
    `--service-account-private-key-file=${server.serviceAccountKey}`,
    '--use-service-account-credentials=false',
    '--leader-elect=false',
  ]);
  processes.start('kube-scheduler', programs.scheduler, [kubeconfig, '--leader-elect=false']);
}

type Ctr = (args: readonly string[]) => Promise<string>;

async function startContainerd(
  processes: Processes,
  directory: string,
  { plugins }: NodePrograms,
): Promise<Ctr> {
  const socket = '/run/containerd.sock';
  const pluginFolder = join(directory, 'plugins');
  const networks = join(directory, 'networks');
  await mkdir(pluginFolder, { recursive: true });
  await mkdir(networks, { recursive: true });
  for (const plugin of plugins) {
    await symlink(plugin, join(pluginFolder, basename(plugin))).catch(() => {});
  }
  await writeFile(join(networks, '10-bridge.conflist'), JSON.stringify(network(directory)));
  const config = join(directory, 'containerd.toml');
  await writeFile(
    config,
    `version = 2
root = "${join(directory, 'containerd')}"
state = "/run/containerd-state"
[grpc]
address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${PAUSE_IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${pluginFolder}"
conf_dir = "${networks}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`,
  );
  processes.start('containerd', 'containerd', ['--config', config]);
  const ctr: Ctr = async (args) => {
    const all = ['--address', socket, '--namespace', 'k8s.io', ...args];
    return (await exec('ctr', all, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  };
  await poll('containerd answers', 60, () => {
    processes.assertRunning();
    return ctr(['version']);
  });
  return ctr;
}

/** A bridge of this node, with addresses of its range. */
function network(directory: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods0',
        isGateway: true,
        hairpinMode: true,
        ipMasq: true,
        ipam: {
          type: 'host-local',
          dataDir: join(directory, 'addresses'),
          ranges: [[{ subnet: POD_RANGE }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  };
}

async function startKubelet(
  processes: Processes,
  directory: string,
  { kubelet, proxy, policies }: NodePrograms,
  { kubeconfig }: ApiServer,
): Promise<void> {
  for (const controller of await readdir(CGROUPS)) {
    await mkdir(join(CGROUPS, controller, CGROUP)).catch(() => {});
  }
  const config = join(directory, 'kubelet.json');
  await writeFile(
    config,
    JSON.stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      // The API server in these namespaces is the only one who can reach the kubelet.
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: 'AlwaysAllow' },
      cgroupDriver: 'cgroupfs',
      cgroupRoot: `/${CGROUP}`,
      clusterDNS: [DNS_ADDRESS],
      clusterDomain: 'cluster.local',
      containerRuntimeEndpoint: 'unix:///run/containerd.sock',
      enforceNodeAllocatable: [],
      failSwapOn: false,
      evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%' },
      podLogsDir: join(directory, 'pods'),
      resolvConf: '/dev/null',
    }),
  );
  processes.start('kubelet', kubelet, [
    `--config=${config}`,
    `--kubeconfig=${kubeconfig}`,
    `--root-dir=${join(directory, 'kubelet')}`,
    `--cert-dir=${join(directory, 'kubelet-certificates')}`,
    `--hostname-override=${NODE}`,
    `--node-ip=${NODE_ADDRESS}`,
  ]);
  const proxyConfig = join(directory, 'proxy.json');
  await writeFile(
    proxyConfig,
    JSON.stringify({
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'iptables',
      clusterCIDR: POD_RANGE,
      hostnameOverride: NODE,
      clientConnection: { kubeconfig },
      conntrack: { maxPerCore: 0 },
    }),
  );
  processes.start('kube-proxy', proxy, [`--config=${proxyConfig}`]);
  if (!policies) return;
  processes.start('kube-router', policies, [
    `--kubeconfig=${kubeconfig}`,
    '--run-firewall=true',
    '--run-router=false',
    '--run-service-proxy=false',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    `--hostname-override=${NODE}`,
  ]);
}

/** Removes the control groups of the pods, which are not in a namespace. */
export async function removeControlGroups(): Promise<void> {
  for (const controller of await readdir(CGROUPS)) {
    await removeGroup(join(CGROUPS, controller, CGROUP));
  }
}

async function removeGroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(path, entry.name));
  await rmdir(path).catch(() => {});
}
