import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** The release of Kubernetes that is built. */
const KUBERNETES = '1.34.2';

/** Programs of Kubernetes. Each is a folder of `cmd/` in the module k8s.io/kubernetes. */
const KUBERNETES_PROGRAMS = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
];

/** A program of another Go module. */
interface Other {
  readonly module: string;
  /** The folder of the program in its module. */
  readonly folder: string;
}

const CNI = 'github.com/containernetworking/plugins@v1.7.1';

const OTHERS: Readonly<Record<string, Other>> = {
  bridge: { module: CNI, folder: 'plugins/main/bridge' },
  'host-local': { module: CNI, folder: 'plugins/ipam/host-local' },
  loopback: { module: CNI, folder: 'plugins/main/loopback' },
};

/** Where programs are looked for and built. */
export interface Programs {
  /** Folders with programs that were built before, in addition to PATH. */
  readonly folders: readonly string[];
  /** The folder for sources and built programs, kept between runs. */
  readonly work: string;
  readonly print: (line: string) => void;
}

/** Finds a program in the given folders or in PATH. */
export function findProgram(name: string, folders: readonly string[]): string | undefined {
  const all = [...folders, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return all.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * Finds a program, or builds it from its Go module by one core at low priority, which takes minutes for
 * a program of Kubernetes.
 * @throws if it is missing and cannot be built
 */
export async function findOrBuild(name: string, programs: Programs): Promise<string> {
  const built = join(programs.work, 'bin');
  const found = findProgram(name, [...programs.folders, built]);
  if (found) return found;
  const target = join(built, name);
  programs.print(`building ${name}: minutes for a program of Kubernetes, only the first time`);
  if (KUBERNETES_PROGRAMS.includes(name)) await buildKubernetes(name, target, programs.work);
  else if (OTHERS[name]) await buildOther(name, OTHERS[name], target, programs.work);
  else throw new Error(`${name} is missing: install it, or name its folder with --bin`);
  return target;
}

/** Downloads a Go module. @param module with its version, such as `k8s.io/kubernetes@v1.34.2` */
export async function moduleFolder(module: string): Promise<string> {
  const { stdout } = await exec('go', ['mod', 'download', '-json', module], {
    env: { ...process.env, GOFLAGS: '-mod=mod' },
    cwd: '/',
  });
  return JSON.parse(stdout).Dir;
}

async function copyModule(module: string, source: string): Promise<void> {
  if (existsSync(source)) return;
  const draft = `${source}.draft`;
  await rm(draft, { recursive: true, force: true });
  await cp(await moduleFolder(module), draft, { recursive: true });
  await exec('chmod', ['-R', 'u+w', draft]);
  await exec('mv', [draft, source]);
}

async function build(source: string, folder: string, target: string, flags: string): Promise<void> {
  const env = {
    ...process.env,
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=mod -buildvcs=false',
    GOTOOLCHAIN: 'local',
    GOMAXPROCS: '1',
  };
  const args = ['-n', '15', 'go', 'build', '-ldflags', flags, '-o', target, folder];
  await exec('nice', args, { cwd: source, env, maxBuffer: 64 * 1024 * 1024 });
  await chmod(target, 0o755);
}

async function buildKubernetes(name: string, target: string, work: string): Promise<void> {
  const source = join(work, `kubernetes-${KUBERNETES}`);
  await copyModule(`k8s.io/kubernetes@v${KUBERNETES}`, source);
  // The module does not contain its staging folders; they are modules of their own.
  await Promise.all(
    ['go.work', 'go.work.sum'].map((file) => rm(join(source, file), { force: true })),
  );
  const staged = KUBERNETES.replace(/^1\./, '0.');
  const path = join(source, 'go.mod');
  const text = await readFile(path, 'utf8');
  await writeFile(
    path,
    text.replace(
      /=> \.\/staging\/src\/(k8s\.io\/\S+)/g,
      (_all, module) => `=> ${module} v${staged}`,
    ),
  );
  const [major, minor] = KUBERNETES.split('.');
  const version = { gitVersion: `v${KUBERNETES}`, gitMajor: major, gitMinor: minor };
  const flags = Object.entries(version).map(
    ([field, value]) => `-X k8s.io/component-base/version.${field}=${value}`,
  );
  await build(source, `./cmd/${name}`, target, ['-s', '-w', ...flags].join(' '));
}

async function buildOther(
  name: string,
  { module, folder }: Other,
  target: string,
  work: string,
): Promise<void> {
  const source = join(work, module.replaceAll(/\W+/g, '-'));
  await mkdir(work, { recursive: true });
  await copyModule(module, source);
  await build(source, `./${folder}`, target, '-s -w');
  if (!existsSync(target)) throw new Error(`${name} was not built`);
}
