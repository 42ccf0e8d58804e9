import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import type { Manifest } from '../render.ts';
import type { Kubectl } from './api-server.ts';
import { poll, type Report } from './report.ts';
import { definitionName } from './resource-definitions.ts';

const repository = new URL('../../../', import.meta.url);
const OVERLAYS = [
  'k8s/overlays/local',
  'k8s/overlays/production',
  'k8s/overlays/production-external',
  'tests/deploy/with-rest',
  'tests/deploy/with-federation-gateway',
];
/** Namespaces of the overlays. */
const NAMESPACES = ['gudang', 'graph'];
const DRY_RUN = ['apply', '--server-side', '--dry-run=server', '--force-conflicts'];

/** Installs the operators' resource definitions. */
export async function installDefinitions(
  kubectl: Kubectl,
  files: readonly string[],
): Promise<string> {
  for (const file of files) await kubectl(['apply', '--server-side', '-f', file]);
  const names = await Promise.all(files.map(definitionName));
  const established = names.map((name) => `crd/${name}`);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...established]);
  return `${names.length} kinds`;
}

/**
 * Creates the namespaces with the labels of the overlays: restricted Pod Security, enforced. A dry run of
 * pods needs their service accounts, which a controller creates in a whole cluster.
 */
export async function createNamespaces(kubectl: Kubectl): Promise<string> {
  const file = new URL('k8s/components/production/namespace.yaml', repository);
  const namespace: Manifest = parse(await readFile(file, 'utf8'));
  const apply = (object: object, ...args: readonly string[]) =>
    kubectl([...args, 'apply', '--server-side', '-f', '-'], JSON.stringify(object));
  for (const name of NAMESPACES) {
    await apply({ ...namespace, metadata: { ...namespace.metadata, name } });
    await poll('the namespace exists', 10, async () => kubectl(['get', 'namespace', name]));
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await apply(account, '-n', name);
  }
  return NAMESPACES.join(', ');
}

/** Applies every overlay by a server-side dry run. */
export async function dryRunOverlays(kubectl: Kubectl, report: Report): Promise<void> {
  for (const overlay of OVERLAYS) {
    const folder = fileURLToPath(new URL(overlay, repository));
    const rendered = (await kubectl(['kustomize', folder])).stdout;
    const manifests = parseAllDocuments(rendered).map((one) => one.toJS() as Manifest);
    await report.check(`server-side dry run of ${overlay}`, async () => {
      const { stdout, stderr } = await kubectl([...DRY_RUN, '-f', '-'], rendered);
      if (/warning/i.test(stderr)) throw new Error(stderr.trim());
      const count = stdout.trim().split('\n').length;
      if (count !== manifests.length) throw new Error(`${count} of ${manifests.length} objects`);
      return `${count} objects`;
    });
    await report.check(`restricted Pod Security admits the pods of ${overlay}`, async () => {
      const pods = podsOf(manifests);
      await kubectl([...DRY_RUN, '-f', '-'], JSON.stringify(listOf(pods)));
      return pods.map(({ metadata }) => metadata.name).join(', ');
    });
  }
}

/** Checks that the API server refuses objects that it must refuse: otherwise the checks above mean nothing. */
export async function dryRunFaults(kubectl: Kubectl, report: Report): Promise<void> {
  const folder = fileURLToPath(new URL('k8s/overlays/production', repository));
  const { stdout } = await kubectl(['kustomize', folder]);
  const faults: readonly [name: string, text: string, refusal: RegExp][] = [
    [
      'an unknown type of target',
      stdout.replace('type: Utilization', 'type: AverageUtilization'),
      /target\.type/,
    ],
    [
      'a container with privileges',
      JSON.stringify(
        listOf(
          podsOf(parseAllDocuments(stdout).map((one) => one.toJS() as Manifest)).map(privileged),
        ),
      ),
      /violates PodSecurity "restricted/,
    ],
    [
      'an unknown protocol in a custom resource',
      stdout.replace('protocol: HTTPS', 'protocol: "-"'),
      /protocol/,
    ],
  ];
  for (const [name, text, refusal] of faults) {
    await report.check(`the API server refuses ${name}`, async () => {
      const error = await kubectl([...DRY_RUN, '-f', '-'], text).catch((reason: Error) => reason);
      if (!(error instanceof Error)) throw new Error('it was accepted');
      if (!refusal.test(error.message)) throw new Error(error.message);
      return undefined;
    });
  }
}

/** Returns a pod of each workload: Pod Security applies to pods only. */
function podsOf(manifests: readonly Manifest[]): Manifest[] {
  return manifests
    .filter(({ kind }) => ['Deployment', 'Job', 'StatefulSet'].includes(kind))
    .map(({ metadata, spec }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        labels: spec.template.metadata.labels,
      },
      spec: withClaims(spec),
    }));
}

/** A StatefulSet's controller adds the volumes of its claims. */
function withClaims({ template, volumeClaimTemplates = [] }: Manifest['spec']): object {
  const claims = volumeClaimTemplates.map(({ metadata: { name } }: Manifest) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }));
  return { ...template.spec, volumes: [...(template.spec.volumes ?? []), ...claims] };
}

function privileged(pod: Manifest): Manifest {
  const [container, ...others] = pod.spec.containers;
  const securityContext = { ...container.securityContext, allowPrivilegeEscalation: true };
  return {
    ...pod,
    spec: { ...pod.spec, containers: [{ ...container, securityContext }, ...others] },
  };
}

function listOf(items: readonly Manifest[]): object {
  return { apiVersion: 'v1', kind: 'List', items };
}
