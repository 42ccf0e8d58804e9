import { describe, expect, it } from 'vitest';
import { findKustomize, type Manifest, render } from './render.ts';

const kustomize = await findKustomize();

/** Paths that clients use, by service. */
const PUBLIC: Readonly<Record<string, readonly string[]>> = {
  gateway: ['/', '/graphql', '/graphql/ticket', '/live', '/graphiql', '/pages/assets/any.js'],
  'order-subgraph': ['/order', '/order/', '/order/add-order', '/order/cancel/1'],
  'stock-subgraph': ['/stock', '/stock/', '/stock/add-stock', '/stock/update/1', '/stock/delete/1'],
};

/** Paths that every service has for the cluster, and `/graphql` of the subgraphs for the gateway. */
const OPERATIONAL = [
  '/metrics',
  '/readyz',
  '/healthz',
  '/status',
  '/other',
  '/metrics/',
  '//metrics',
];
const INTERNAL: Readonly<Record<string, readonly string[]>> = {
  gateway: OPERATIONAL,
  'order-subgraph': [...OPERATIONAL, '/', '/graphql', '/orders'],
  'stock-subgraph': [...OPERATIONAL, '/', '/graphql', '/stocks'],
};

type PathMatch = { readonly type: string; readonly value: string };

function matches({ type, value }: PathMatch, path: string): boolean {
  if (type === 'Exact') return path === value;
  if (type !== 'PathPrefix') throw new Error(`unexpected type of match: ${type}`);
  // A prefix matches whole segments.
  const prefix = value.replace(/\/$/, '');
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Returns the services to which the routes of all HTTPRoutes send a path. */
function servicesOf(manifests: readonly Manifest[], path: string): string[] {
  const rules = manifests
    .filter(({ kind }) => kind === 'HTTPRoute')
    .flatMap(({ spec }) => spec.rules as Rule[]);
  return rules
    .filter((rule) =>
      // A rule without a match matches every path.
      (rule.matches ?? [{ path: { type: 'PathPrefix', value: '/' } }]).some((match) =>
        matches(match.path, path),
      ),
    )
    .flatMap(({ backendRefs }) => backendRefs.map(({ name }) => name));
}

interface Rule {
  readonly matches?: readonly { readonly path: PathMatch }[];
  readonly backendRefs: readonly { readonly name: string }[];
}

const routedServices = (manifests: readonly Manifest[]): string[] =>
  manifests
    .filter(({ kind }) => kind === 'HTTPRoute')
    .flatMap(({ spec }) =>
      (spec.rules as Rule[]).flatMap(({ backendRefs }) => backendRefs.map(({ name }) => name)),
    );

describe.skipIf(!kustomize).each([
  ['k8s/overlays/production', ['gateway']],
  ['k8s/overlays/production-external', ['gateway']],
  ['tests/deploy/with-rest', ['gateway', 'order-subgraph', 'stock-subgraph']],
])('%s', (overlay, services) => {
  const rendered = kustomize ? render(kustomize, overlay) : Promise.resolve([]);

  it('routes the paths that clients use', async () => {
    const manifests = await rendered;
    expect(routedServices(manifests).sort()).toEqual(services);
    for (const service of services) {
      for (const path of PUBLIC[service] ?? []) {
        expect(servicesOf(manifests, path), path).toContain(service);
      }
    }
  });

  it('routes no operational path and no path between services', async () => {
    const manifests = await rendered;
    for (const service of services) {
      for (const path of INTERNAL[service] ?? []) {
        expect(servicesOf(manifests, path), path).not.toContain(service);
      }
    }
  });

  it('trusts the proxies in front of each routed service, so that clients have different addresses', async () => {
    const manifests = await rendered;
    for (const service of services) {
      const settings = manifests.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith(`${service}-`),
      )?.data;
      expect(settings?.['TRUSTED_PROXIES'], service).toBeTruthy();
    }
  });
});
