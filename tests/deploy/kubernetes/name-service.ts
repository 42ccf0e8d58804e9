import { readFile } from 'node:fs/promises';
import { gudangImage } from './images.ts';
import { DNS_ADDRESS, type RunningNode } from './node-components.ts';

const LABELS = { 'k8s-app': 'kube-dns' };
const script = new URL('./stand-ins/name-service.mjs', import.meta.url);

/**
 * Starts a name service in kube-system, where the network policies expect it. It stands in for CoreDNS,
 * whose build takes as long as that of the API server.
 */
export async function startNameService({ kubectl, url, token }: RunningNode): Promise<undefined> {
  const metadata = { name: 'kube-dns', namespace: 'kube-system', labels: LABELS };
  const port = { name: 'dns', protocol: 'UDP' };
  const container = {
    name: 'name-service',
    image: gudangImage('gateway'),
    command: ['node', '/script/name-service.mjs'],
    env: [
      { name: 'KUBERNETES_API', value: url },
      { name: 'TOKEN', value: token },
      { name: 'NODE_TLS_REJECT_UNAUTHORIZED', value: '0' },
    ],
    ports: [{ ...port, containerPort: 53 }],
    securityContext: { runAsUser: 0 },
    volumeMounts: [{ name: 'script', mountPath: '/script' }],
  };
  const items = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'name-service.mjs': await readFile(script, 'utf8') },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIP: DNS_ADDRESS, selector: LABELS, ports: [{ ...port, port: 53 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            automountServiceAccountToken: false,
            dnsPolicy: 'Default',
            terminationGracePeriodSeconds: 1,
            containers: [container],
            volumes: [{ name: 'script', configMap: { name: 'kube-dns' } }],
          },
        },
      },
    },
  ];
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const status = ['rollout', 'status', 'deployment/kube-dns', '--timeout=120s'];
  await kubectl(['-n', 'kube-system', ...status]);
  return undefined;
}
