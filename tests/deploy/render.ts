import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

const exec = promisify(execFile);
const repository = new URL('../../', import.meta.url);

/** The parts of a Kubernetes object that the tests read. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: the objects have many kinds; schemas check each kind
  readonly spec?: any;
  readonly data?: Readonly<Record<string, string>>;
}

type Kustomize = readonly [command: string, ...args: string[]];

/**
 * Finds a program that renders overlays. If the environment variable KUSTOMIZE is set, as in .ci/run, it
 * names the program. Otherwise, an installed kustomize or kubectl is used. Returns undefined if none is
 * found.
 * @throws if the program that KUSTOMIZE names cannot be run
 */
export async function findKustomize(): Promise<Kustomize | undefined> {
  const given = process.env['KUSTOMIZE'];
  const candidates: Kustomize[] = given
    ? [[given, 'build']]
    : [
        ['kustomize', 'build'],
        ['kubectl', 'kustomize'],
      ];
  for (const candidate of candidates) {
    const [command, ...args] = candidate;
    const works = await exec(command, [...args, '--help']).catch(() => undefined);
    if (works) return candidate;
  }
  if (given) throw new Error(`KUSTOMIZE: ${given} cannot be run`);
  return undefined;
}

/** @param overlay for example `k8s/overlays/local` */
export async function render(kustomize: Kustomize, overlay: string): Promise<Manifest[]> {
  const [command, ...args] = kustomize;
  const folder = fileURLToPath(new URL(overlay, repository));
  const { stdout } = await exec(command, [...args, folder], { maxBuffer: 16 * 1024 * 1024 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}
