/**
 * Writes the schemas in this folder from the schemas that the projects publish. Keeps only the parts
 * that are used, removes descriptions, and rejects unknown fields of custom resources. See README.md.
 * Usage: tsx reduce.ts KUBERNETES_DEFINITIONS COMPOSE_SPEC CRD...
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';

type Json = { [key: string]: Json } & { [Symbol.iterator]?: never };

const KINDS: Readonly<Record<string, string>> = {
  'v1/ConfigMap': 'io.k8s.api.core.v1.ConfigMap',
  'v1/Namespace': 'io.k8s.api.core.v1.Namespace',
  'v1/PersistentVolumeClaim': 'io.k8s.api.core.v1.PersistentVolumeClaim',
  'v1/Secret': 'io.k8s.api.core.v1.Secret',
  'v1/Service': 'io.k8s.api.core.v1.Service',
  'v1/ServiceAccount': 'io.k8s.api.core.v1.ServiceAccount',
  'apps/v1/Deployment': 'io.k8s.api.apps.v1.Deployment',
  'apps/v1/StatefulSet': 'io.k8s.api.apps.v1.StatefulSet',
  'autoscaling/v2/HorizontalPodAutoscaler': 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  'batch/v1/Job': 'io.k8s.api.batch.v1.Job',
  'networking.k8s.io/v1/Ingress': 'io.k8s.api.networking.v1.Ingress',
  'networking.k8s.io/v1/NetworkPolicy': 'io.k8s.api.networking.v1.NetworkPolicy',
  'policy/v1/PodDisruptionBudget': 'io.k8s.api.policy.v1.PodDisruptionBudget',
};

/** Removes descriptions from a schema. Keys of `properties` and `$defs` are names, so all are kept. */
function bare(schema: unknown, strict: boolean): unknown {
  if (Array.isArray(schema)) return schema.map((one) => bare(one, strict));
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'description' || key === 'example' || key.startsWith('x-kubernetes-')) continue;
    const named = key === 'properties' || key === '$defs' || key === 'definitions';
    kept[key] = named
      ? Object.fromEntries(Object.entries(value as object).map(([n, v]) => [n, bare(v, strict)]))
      : bare(value, strict);
  }
  const open = (schema as Json)['x-kubernetes-preserve-unknown-fields'] !== undefined;
  // A cluster silently drops unknown fields. The schema rejects them, so that a test finds mistyped fields.
  if (strict && 'properties' in kept && kept['type'] === 'object' && !open) {
    kept['additionalProperties'] ??= false;
  }
  if ((schema as Json)['x-kubernetes-int-or-string'] !== undefined) delete kept['type'];
  return kept;
}

const write = (name: string, content: unknown): Promise<void> =>
  writeFile(new URL(`${name}.json`, import.meta.url), `${JSON.stringify(content)}\n`);

const [kubernetes = '', compose = '', ...crds] = process.argv.slice(2);

const definitions = JSON.parse(await readFile(kubernetes, 'utf8')).$defs as Record<string, unknown>;
const used = new Set<string>();
const include = (name: string): void => {
  if (used.has(name)) return;
  used.add(name);
  for (const [, next = ''] of JSON.stringify(definitions[name]).matchAll(/#\/\$defs\/([\w.-]+)/g)) {
    include(next);
  }
};
for (const name of Object.values(KINDS)) include(name);
await write('kubernetes', {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  kinds: KINDS,
  $defs: Object.fromEntries([...used].sort().map((name) => [name, bare(definitions[name], false)])),
});

await write('compose', bare(JSON.parse(await readFile(compose, 'utf8')), false));

const custom: Record<string, unknown> = {};
for (const file of crds) {
  for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
    const { spec } = document.toJS();
    for (const { name, schema } of spec.versions) {
      const kind = bare(schema.openAPIV3Schema, true) as { properties: Record<string, unknown> };
      // The CRDs do not define the field `metadata`, because Kubernetes does.
      kind.properties['metadata'] = { type: 'object' };
      custom[`${spec.group}/${name}/${spec.names.kind}`] = kind;
    }
  }
}
await write('custom-resources', custom);
