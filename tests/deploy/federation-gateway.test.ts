import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { findKustomize, type Manifest, render } from './render.ts';

const kustomize = await findKustomize();
const { version } = JSON.parse(
  await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
);

it('is tested with the supergraph of the example, which kustomize cannot read from there', async () => {
  const paths = [
    'with-federation-gateway/supergraph.graphql',
    '../../gateway/example/supergraph.graphql',
  ];
  const [copy, example] = await Promise.all(
    paths.map((path) => readFile(new URL(path, import.meta.url), 'utf8')),
  );
  expect(copy).toBe(example);
});

describe.skipIf(!kustomize)('the component federation-gateway', () => {
  let manifests: Manifest[] = [];
  const of = (kind: string) => manifests.filter((one) => one.kind === kind);
  beforeAll(async () => {
    if (kustomize) manifests = await render(kustomize, 'tests/deploy/with-federation-gateway');
  });

  it('is a gateway with its service, settings and supergraph, and nothing of the shop', () => {
    expect(manifests.map(({ kind, metadata }) => [kind, metadata.name.split('-')[0]])).toEqual([
      ['ConfigMap', 'gateway'],
      ['ConfigMap', 'supergraph'],
      ['Service', 'gateway'],
      ['Deployment', 'gateway'],
    ]);
  });

  it('mounts the supergraph where SUPERGRAPH names it, under a name that does not change', () => {
    const [{ spec } = { spec: undefined }] = of('Deployment');
    const { containers, volumes } = spec.template.spec;
    const [mount] = containers[0].volumeMounts;
    const volume = volumes.find(({ name }: { name: string }) => name === mount.name);
    const mounted = of('ConfigMap').find(({ metadata }) => metadata.name === volume.configMap.name);
    const [file = ''] = Object.keys(mounted?.data ?? {});
    const settings = of('ConfigMap').find(({ metadata: { name } }) => name.startsWith('gateway-'));
    expect(settings?.data?.['SUPERGRAPH']).toBe(`${mount.mountPath}/${file}`);
  });

  it('runs the image of this release, without a required secret', () => {
    const [{ spec } = { spec: undefined }] = of('Deployment');
    const [container] = spec.template.spec.containers;
    expect(container.image).toBe(`gudang/federation-gateway:${version}`);
    for (const { valueFrom } of container.env) expect(valueFrom.secretKeyRef.optional).toBe(true);
  });
});
