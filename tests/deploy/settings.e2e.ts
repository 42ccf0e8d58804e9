import { readFile } from 'node:fs/promises';
import { runScript } from '@gudang/testing/system/run-script';
import { scriptOf } from '@gudang/testing/system/system';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { composeFile, composePath } from '../docs/compose-settings.ts';
import { deploySettings, deploySettingsPath } from '../docs/deploy-settings.ts';
import { rowsOf, SERVICES } from '../docs/settings-page.ts';
import { findKustomize, type Manifest, render } from './render.ts';

const rows = Object.fromEntries(
  await Promise.all(SERVICES.map(async (service) => [service, await rowsOf(service)] as const)),
);
const kustomize = await findKustomize();

/** Placeholder for secrets. It is a database URL, because some settings check the URL's scheme. */
const SECRET = 'postgresql://user:a-secret-of-some-length@host/database';

type Environment = Readonly<Record<string, string>>;

/** Returns the environment that the env list and the ConfigMap of a service's container define. */
function environmentOf(service: string, manifests: readonly Manifest[]): Environment {
  const deployment = manifests.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === service,
  );
  const [container] = deployment?.spec.template.spec.containers ?? [];
  const { name } = container.envFrom[0].configMapRef;
  const map = manifests.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name,
  );
  const own = container.env.map(({ name, value = SECRET }: { name: string; value?: string }) => [
    name,
    value,
  ]);
  return { ...map?.data, ...Object.fromEntries(own) };
}

async function expectAccepted(service: string, environment: Environment): Promise<void> {
  const known = (rows[service] ?? []).map(({ name }) => name);
  expect(known, service).toEqual(expect.arrayContaining(Object.keys(environment)));
  const kind = service.split('-')[0] as 'gateway' | 'order' | 'stock';
  // KAFKA_TLS_CA is not checked, because its file exists only in the container.
  const { KAFKA_TLS_CA: _inContainer, ...checked } = environment;
  const { stderr, code } = await runScript(scriptOf(kind), checked, { args: ['--check'] });
  expect(`${stderr}${code}`, service).toBe('0');
}

it.each(SERVICES)(
  'k8s/base/settings/%s.env equals the output of `npm run settings`',
  async (service) => {
    const written = await readFile(deploySettingsPath(service), 'utf8');
    expect(written).toBe(await deploySettings(service, rows[service] ?? []));
  },
);

describe.skipIf(!kustomize).each(['local', 'production', 'production-external'])(
  '%s',
  (overlay) => {
    it('sets only settings that exist, and only to valid values', async () => {
      if (!kustomize) return;
      const manifests = await render(kustomize, `k8s/overlays/${overlay}`);
      for (const service of SERVICES) {
        await expectAccepted(service, environmentOf(service, manifests));
      }
    });
  },
);

/** Replaces `${NAME:-default}` by the default, also within another default. */
function withDefaults(value: string): string {
  const replaced = value.replace(/\$\{\w+:-([^{}]*)\}/g, '$1');
  return replaced === value ? value : withDefaults(replaced);
}

it('compose.yaml equals the output of `npm run settings`', async () => {
  expect(await readFile(composePath, 'utf8')).toBe(await composeFile());
});

it.each(SERVICES)(
  'compose.yaml passes every setting of %s except HOST and PORT',
  async (service) => {
    const { services } = parse(await readFile(composePath, 'utf8'), { merge: true });
    const names = (rows[service] ?? []).map(({ name }) => name);
    expect(Object.keys(services[service].environment).sort()).toEqual(
      names.filter((name) => name !== 'HOST' && name !== 'PORT').sort(),
    );
  },
);

it('compose.yaml sets only settings that exist, and only to valid values', async () => {
  const { services } = parse(await readFile(composePath, 'utf8'), { merge: true });
  for (const service of SERVICES) {
    const written = Object.entries<string | null>(services[service].environment);
    // If a value has the form ${NAME:-default}, the test checks the default.
    const filled = written.flatMap(([name, value]) =>
      value === null ? [] : [[name, withDefaults(value)]],
    );
    await expectAccepted(service, Object.fromEntries(filled));
  }
});
