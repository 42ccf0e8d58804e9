import { describe, expect, it } from 'vitest';
import type { Manifest } from './render.ts';
import { createManifestValidator } from './validate.ts';

const validate = await createManifestValidator();

function autoscaler(target: object): Manifest {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'any' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'any' },
      maxReplicas: 2,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
    },
  };
}

function pod(container: object, more: object = {}): Manifest {
  const labels = { 'app.kubernetes.io/name': 'any' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'any' },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { ...more, containers: [{ name: 'any', image: 'any:1', ...container }] },
      },
    },
  };
}

function policy(spec: object): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'any' },
    spec: { podSelector: {}, ...spec },
  };
}

// An API server refuses each of these. Their schema, as published, does not.
describe('createManifestValidator', () => {
  it.each([
    ['accepts utilization', { type: 'Utilization', averageUtilization: 70 }, true],
    ['accepts a value', { type: 'AverageValue', averageValue: '10' }, true],
    ['rejects an unknown type', { type: 'AverageUtilization', averageUtilization: 70 }, false],
    ["rejects another type's value", { type: 'Utilization', averageValue: '10' }, false],
    ['rejects two values', { type: 'Value', value: '1', averageValue: '1' }, false],
  ])('%s as target of an autoscaler', (_name, target, isAccepted) => {
    expect(validate(autoscaler(target)).length === 0).toBe(isAccepted);
  });

  it.each([
    ['a pull policy', pod({ imagePullPolicy: 'IfMissing' })],
    ['a restart policy', pod({}, { restartPolicy: 'always' })],
    ['a protocol', pod({ ports: [{ containerPort: 80, protocol: 'tcp' }] })],
    ['a port', pod({ ports: [{ containerPort: 70_000 }] })],
    ['the name of a port', pod({ ports: [{ containerPort: 80, name: 'a-name-of-17-chars' }] })],
    ['a seccomp profile', pod({ securityContext: { seccompProfile: { type: 'Default' } } })],
    ['the handler of a probe', pod({ livenessProbe: { periodSeconds: 5 } })],
    [
      'the time-out of a probe',
      pod({ livenessProbe: { tcpSocket: { port: 1 }, timeoutSeconds: 0 } }),
    ],
    ['an environment variable', pod({ env: [{ name: 'A', value: 'b', valueFrom: {} }] })],
    ['a policy type', policy({ policyTypes: ['In'] })],
    [
      'a peer',
      policy({ ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }] }] }),
    ],
    [
      'an operator',
      policy({ podSelector: { matchExpressions: [{ key: 'a', operator: 'Is', values: ['b'] }] } }),
    ],
  ])('rejects %s that an API server refuses', (_name, manifest) => {
    expect(validate(manifest)).not.toEqual([]);
  });

  it('accepts the same objects without these faults', () => {
    const good = pod({
      ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }],
      livenessProbe: { httpGet: { path: '/', port: 'http' }, timeoutSeconds: 1 },
      env: [{ name: 'A', value: 'b' }],
    });
    expect(validate(good)).toEqual([]);
    expect(validate(policy({ policyTypes: ['Ingress', 'Egress'] }))).toEqual([]);
  });
});
