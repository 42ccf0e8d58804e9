import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { findKustomize, type Manifest, render } from './render.ts';

const kustomize = await findKustomize();
const { version } = JSON.parse(
  await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
);

const containersOf = (manifests: readonly Manifest[]) =>
  manifests
    .filter(({ kind }) => ['Deployment', 'Job', 'StatefulSet'].includes(kind))
    .flatMap(({ spec }) => spec.template.spec.containers);

describe.skipIf(!kustomize).each(['local', 'production', 'production-external'])(
  '%s',
  (overlay) => {
    const rendered = kustomize ? render(kustomize, `k8s/overlays/${overlay}`) : Promise.resolve([]);

    it('names the images of this release', async () => {
      const images: string[] = containersOf(await rendered).map(({ image }) => image);
      const ours = images.filter((image) => image.startsWith('gudang/'));
      expect(ours.sort()).toEqual(
        ['gateway', 'migrate', 'order-subgraph', 'stock-subgraph'].map(
          (name) => `gudang/${name}:${version}`,
        ),
      );
    });

    it('gives every image a version, so that a loaded image is not pulled again', async () => {
      for (const { image, imagePullPolicy } of containersOf(await rendered)) {
        expect(image).toMatch(/:(?!latest$)[\w.-]+$|@sha256:/);
        expect(imagePullPolicy, image).toBeUndefined();
      }
    });

    it('takes secret values from secrets only', async () => {
      for (const { env } of containersOf(await rendered)) {
        for (const { name, value } of env ?? []) {
          if (/SECRET|PASSWORD|_URL$/.test(name)) expect(value, name).toBeUndefined();
        }
      }
    });
  },
);

it.skipIf(!kustomize).each(['production', 'production-external'])(
  'the overlay %s contains no secret values',
  async (overlay) => {
    if (!kustomize) return;
    const manifests = (await render(kustomize, `k8s/overlays/${overlay}`)) as (Manifest & {
      stringData?: Record<string, string>;
    })[];
    const keys = manifests
      .filter(({ kind }) => kind === 'Secret')
      .flatMap(({ data, stringData }) => Object.keys({ ...data, ...stringData }));
    // The name of the user for KEDA.
    expect(keys).toEqual(overlay === 'production' ? ['username'] : []);
  },
);

it.skipIf(!kustomize)(
  'the overlay local gives no service the published SUBGRAPH_SECRET',
  async () => {
    if (!kustomize) return;
    const manifests = await render(kustomize, 'k8s/overlays/local');
    const names: string[] = containersOf(manifests).flatMap(({ env = [] }) =>
      env.map(({ name }: { name: string }) => name),
    );
    expect(names).not.toContain('SUBGRAPH_SECRET');
    expect(names.filter((name) => name.endsWith('_DATABASE_URL')).sort()).toEqual([
      'ORDER_DATABASE_URL',
      'ORDER_DATABASE_URL',
      'STOCK_DATABASE_URL',
      'STOCK_DATABASE_URL',
    ]);
  },
);
