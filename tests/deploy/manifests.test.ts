import { ORDER_CANCELLED, ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';
import { beforeAll, describe, expect, it } from 'vitest';
import { allowedConnections } from './allowed-connections.ts';
import { findKustomize, type Manifest, render } from './render.ts';
import { createManifestValidator } from './validate.ts';

const SERVICES = ['gateway', 'order-subgraph', 'stock-subgraph'];
/** Maximum duration of a service's shutdown, in seconds. See run-process.ts in @gudang/runtime. */
const STOP_DEADLINE_S = 20;

/** Default of KAFKA_PARTITIONS. See docs/SETTINGS.md. */
const DEFAULT_PARTITIONS = 6;

const kustomize = await findKustomize();
const validate = await createManifestValidator();

// Rendering an overlay requires kustomize or kubectl, so these tests are skipped without them. .ci/run
// installs kustomize.
describe.skipIf(!kustomize).each(['local', 'production', 'production-external'])(
  '%s',
  (overlay) => {
    let manifests: Manifest[] = [];
    const of = (kind: string): Manifest[] => manifests.filter((one) => one.kind === kind);
    const workloads = (): Manifest[] => [...of('Deployment'), ...of('StatefulSet'), ...of('Job')];

    beforeAll(async () => {
      if (kustomize) manifests = await render(kustomize, `k8s/overlays/${overlay}`);
    });

    it('matches the schemas', () => {
      expect(manifests.length).toBeGreaterThan(20);
      expect(
        manifests.flatMap((one) =>
          validate(one).map((wrong) => `${one.kind} ${one.metadata.name}: ${wrong}`),
        ),
      ).toEqual([]);
    });

    it('is rejected if a field of any kind of resource is mistyped', () => {
      const accepted = manifests
        .filter(({ spec }) => spec !== undefined)
        .filter((one) => validate({ ...one, spec: { ...one.spec, replicsa: 1 } }).length === 0);
      expect(accepted.map(({ kind }) => kind)).toEqual([]);
    });

    it('conforms to the restricted pod security standard', () => {
      for (const { spec, metadata } of workloads()) {
        const pod = spec.template.spec;
        expect(pod.securityContext, metadata.name).toMatchObject({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        expect(pod.automountServiceAccountToken, metadata.name).toBe(false);
        expect(pod.enableServiceLinks, metadata.name).toBe(false);
        for (const container of pod.containers) {
          expect(container.securityContext, metadata.name).toMatchObject({
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          });
          expect(container.resources.requests, metadata.name).toHaveProperty('memory');
        }
      }
      const [namespace] = of('Namespace');
      expect(namespace?.metadata.labels).toMatchObject({
        'pod-security.kubernetes.io/enforce': 'restricted',
      });
    });

    it('configures liveness and readiness probes, and enough time for a graceful shutdown', () => {
      const found = of('Deployment').filter(({ metadata }) => SERVICES.includes(metadata.name));
      expect(found.map(({ metadata }) => metadata.name).sort()).toEqual(SERVICES);
      for (const { spec, metadata } of found) {
        const pod = spec.template.spec;
        const [container] = pod.containers;
        expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
        expect(container.livenessProbe.httpGet.path).toBe('/healthz');
        expect(container.readinessProbe.httpGet.path).toBe('/readyz');
        const { seconds } = container.lifecycle.preStop.sleep;
        expect(pod.terminationGracePeriodSeconds, metadata.name).toBeGreaterThan(
          seconds + 15 + STOP_DEADLINE_S,
        );
        expect(spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
      }
    });

    it('has only references to existing resources', () => {
      const names = (kind: string): string[] => of(kind).map(({ metadata }) => metadata.name);
      for (const { spec } of workloads()) {
        for (const { configMapRef } of spec.template.spec.containers[0].envFrom ?? []) {
          expect(names('ConfigMap')).toContain(configMapRef.name);
        }
      }
      for (const { spec } of [...of('HorizontalPodAutoscaler'), ...of('ScaledObject')]) {
        expect(names('Deployment')).toContain(spec.scaleTargetRef.name);
      }
      const scaled = [...names('HorizontalPodAutoscaler'), ...names('ScaledObject')];
      expect(new Set(scaled).size, 'one autoscaler per deployment').toBe(scaled.length);
    });

    it('sets no request time-out that would end live streams', () => {
      for (const { spec } of of('HTTPRoute')) {
        for (const { timeouts } of spec.rules) {
          expect(timeouts).toEqual({ request: '0s', backendRequest: '0s' });
        }
      }
      expect(of('HTTPRoute')).toHaveLength(overlay === 'local' ? 0 : 1);
    });

    it('scales consumers by the lag of their topic, up to its number of partitions', () => {
      const consumed = new Map([
        ['order-subgraph', [[ORDER_DECIDED, '']]],
        [
          'stock-subgraph',
          [
            [ORDER_CREATED, ''],
            [ORDER_CANCELLED, '-cancellations'],
          ],
        ],
      ]);
      const scaled = of('ScaledObject');
      expect(scaled).toHaveLength(overlay === 'local' ? 0 : consumed.size);
      for (const { metadata, spec } of scaled) {
        const settings = of('ConfigMap').find(({ metadata: { name } }) =>
          name.startsWith(metadata.name),
        )?.data;
        const prefix = settings?.['KAFKA_TOPIC_PREFIX'] ?? '';
        const triggers = spec.triggers.filter(({ type }: { type: string }) => type === 'kafka');
        expect(triggers.map((trigger: { metadata: unknown }) => trigger.metadata)).toEqual(
          consumed.get(metadata.name)?.map(([topic, group]) =>
            expect.objectContaining({
              topic: `${prefix}${topic}`,
              consumerGroup: `${metadata.name}${group}`,
              bootstrapServers: settings?.['KAFKA_BROKERS'],
            }),
          ),
        );
        const [first] = triggers;
        for (const { authenticationRef } of triggers)
          expect(authenticationRef).toEqual(first.authenticationRef);
        const partitions = Number(settings?.['KAFKA_PARTITIONS'] ?? DEFAULT_PARTITIONS);
        expect(spec.maxReplicaCount).toBeLessThanOrEqual(partitions);
      }
    });

    it('allows exactly the connections in the architecture diagram', () => {
      const stores =
        overlay === 'local'
          ? ['order-subgraph → postgres', 'stock-subgraph → postgres', 'migrate → postgres']
          : overlay === 'production'
            ? [
                'order-subgraph → order-database',
                'migrate → order-database',
                'stock-subgraph → stock-database',
                'migrate → stock-database',
              ]
            : [
                'order-subgraph → 10.0.0.0/8:5432',
                'stock-subgraph → 10.0.0.0/8:5432',
                'migrate → 10.0.0.0/8:5432',
              ];
      const kafka = overlay === 'production-external' ? '10.0.0.0/8:9093' : 'kafka';
      const watched = overlay === 'local' ? [] : SERVICES.map((one) => `${one} → observability`);
      const issuer = overlay === 'local' ? [] : SERVICES.map((one) => `${one} → 0.0.0.0/0:443`);
      expect(allowedConnections(of('NetworkPolicy')).sort()).toEqual(
        [
          ...['gateway', 'order-subgraph', 'stock-subgraph', 'migrate'].map(
            (one) => `${one} → DNS`,
          ),
          'gateway → order-subgraph',
          'gateway → stock-subgraph',
          ...stores,
          `order-subgraph → ${kafka}`,
          `stock-subgraph → ${kafka}`,
          ...watched,
          ...issuer,
        ].sort(),
      );
    });
  },
);

it.skipIf(!kustomize)('the component rest additionally opens ports 8000 and 8001', async () => {
  if (!kustomize) return;
  const manifests = await render(kustomize, 'tests/deploy/with-rest');
  expect(manifests.flatMap(validate)).toEqual([]);
  const edge = manifests.find(({ kind }) => kind === 'Gateway');
  expect(edge?.spec.listeners.map(({ port }: { port: number }) => port)).toEqual([443, 8000, 8001]);
  const routes = manifests.filter(({ kind }) => kind === 'HTTPRoute');
  for (const { spec } of routes) {
    const { sectionName } = spec.parentRefs[0];
    expect(edge?.spec.listeners.map(({ name }: { name: string }) => name)).toContain(sectionName);
    const [{ name, port }] = spec.rules[0].backendRefs;
    const service = manifests.find(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === name,
    );
    expect(service?.spec.ports[0].port).toBe(port);
  }
  expect(routes.length).toBe(3);
});

it.skipIf(!kustomize)('the gateway alone matches the schemas', async () => {
  if (!kustomize) return;
  const manifests = await render(kustomize, 'tests/deploy/with-federation-gateway');
  expect(manifests.flatMap(validate)).toEqual([]);
});

it.skipIf(!kustomize)(
  'all pods of the overlay local fit on a node of two cores and 4 GiB',
  async () => {
    if (!kustomize) return;
    const manifests = await render(kustomize, 'k8s/overlays/local');
    const requests = manifests
      .filter(({ kind }) => ['Deployment', 'Job', 'StatefulSet'].includes(kind))
      .map(({ kind, spec }) => ({
        // During a rolling update, each deployment may have one more pod.
        count: kind === 'Deployment' ? spec.replicas + 1 : 1,
        ...spec.template.spec.containers[0].resources.requests,
      }));
    const sum = (resource: 'cpu' | 'memory', unit: RegExp): number =>
      requests.reduce(
        (total, one) => total + one.count * Number(one[resource].replace(unit, '')),
        0,
      );
    // The pods of a cluster itself, such as the name service, request up to one core.
    expect(sum('cpu', /m$/)).toBeLessThanOrEqual(1_000);
    expect(sum('memory', /Mi$/)).toBeLessThanOrEqual(3_500);
  },
);
