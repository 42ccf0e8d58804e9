import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readThirdParties } from '../docs/third-party-page.ts';
import { readDockerfile } from './image/dockerfile.ts';
import { createComposeValidator } from './validate.ts';

const repository = new URL('../../', import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, repository), 'utf8');
const readYaml = async (path: string) => parse(await read(path), { merge: true });

const validate = await createComposeValidator();
const compose = await readYaml('docker/compose.yaml');

describe('compose', () => {
  it('matches the Compose specification', async () => {
    expect(validate(compose)).toEqual([]);
    expect(validate(await readYaml('compose.yaml'))).toEqual([]);
  });

  it('is rejected if a field is mistyped', () => {
    const services = { ...compose.services, gateway: { ...compose.services.gateway, imgae: 'x' } };
    expect(validate({ ...compose, services })).not.toEqual([]);
  });

  it('mounts only existing files', async () => {
    const mounted = Object.values<{ volumes?: string[] }>(compose.services)
      .flatMap(({ volumes = [] }) => volumes)
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => source.startsWith('./') && /\.\w+$/.test(source));
    expect(mounted.length).toBeGreaterThan(3);
    for (const source of mounted) expect(await read(`docker/${source}`)).not.toBe('');
  });

  it('declares only dependencies on services that exist and have no profile', () => {
    for (const { depends_on = {} } of Object.values<{ depends_on?: object }>(compose.services)) {
      for (const name of Object.keys(depends_on)) {
        expect(compose.services).toHaveProperty(name);
        expect(compose.services[name].profiles).toBeUndefined();
      }
    }
  });

  it('publishes no port twice, and no port of a replicated service', () => {
    const { services } = compose;
    for (const name of ['gateway', 'order-subgraph', 'stock-subgraph']) {
      expect(services[name].ports).toBeUndefined();
    }
    const published = Object.values<{ ports?: string[] }>(services)
      .flatMap(({ ports = [] }) => ports)
      .map((port) => port.split(':').at(-2));
    expect(new Set(published).size).toBe(published.length);
    expect(published).toEqual(expect.arrayContaining(['4000', '8000', '8001']));
  });
});

describe('Dockerfile', () => {
  it('has each target that compose builds, with an exec-form command and a non-root user', async () => {
    const source = await read('docker/Dockerfile');
    for (const { build } of Object.values<{
      build?: { target: string; args: { SERVICE: string } };
    }>(compose.services)) {
      if (!build) continue;
      const stages = readDockerfile(source, build.args);
      const target = stages.find(({ name }) => name === build.target);
      expect(target?.steps.at(-1)?.instruction).toBe('CMD');
      expect(target?.steps.at(-1)?.text).toMatch(/^\["node", "dist\/\w+\.js"\]$/);
      const service = stages.find(({ name }) => name === 'service');
      const user = service?.steps.find(({ instruction }) => instruction === 'USER');
      expect(user?.text).toBe('1000:1000');
    }
  });

  it('labels the images with the version and with the licenses of all third-party packages', async () => {
    const source = await read('docker/Dockerfile');
    const { version } = JSON.parse(await read('package.json'));
    expect(/image\.version="([^"]*)"/.exec(source)?.[1]).toBe(version);
    const licenses = (await readThirdParties())
      .filter(({ uses }) => uses.some((use) => use !== 'npm start'))
      .flatMap(({ license }) => license.replaceAll(/[()]/g, '').split(' AND '));
    expect(/image\.licenses="([^"]*)"/.exec(source)?.[1]?.split(' AND ').sort()).toEqual(
      [...new Set(licenses)].sort(),
    );
  });

  it('runs turbo prune with the turbo version of the repository', async () => {
    const { devDependencies } = JSON.parse(await read('package.json'));
    expect(await read('docker/Dockerfile')).toContain(`turbo@${devDependencies.turbo} `);
  });
});
