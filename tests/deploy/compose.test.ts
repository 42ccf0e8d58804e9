import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readThirdParties } from '../docs/third-party-page.ts';
import { readDockerfile } from './image/dockerfile.ts';
import { neededStages } from './image/run-stages.ts';
import { createComposeValidator } from './validate.ts';

const repository = new URL('../../', import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, repository), 'utf8');
const readYaml = async (path: string) => parse(await read(path), { merge: true });

const validate = await createComposeValidator();
const compose = await readYaml('docker/compose.yaml');
const open = await readYaml('docker/compose.public.yaml');

const SERVICES = ['gateway', 'order-subgraph', 'stock-subgraph'];

interface Service {
  readonly image?: string;
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
}

const servicesOf = (file: typeof compose) => Object.entries<Service>(file.services);

describe('compose', () => {
  it('matches the Compose specification', async () => {
    expect(validate(compose)).toEqual([]);
    expect(validate(open)).toEqual([]);
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

  it.each([
    ['federation-gateway', ['turbo', 'pruned', 'packed', 'federation-gateway']],
    ['migrate', ['turbo', 'pruned', 'build', 'runtime', 'service', 'migrate']],
  ])('the image %s is built from the stages that it needs', async (target, names) => {
    const stages = readDockerfile(await read('docker/Dockerfile'), { SERVICE: 'prisma' });
    expect(neededStages(stages, target).map(({ name }) => name)).toEqual(names);
  });

  it('keeps the copies of the supergraph in a volume that belongs to the user of the image', async () => {
    const steps = readDockerfile(await read('docker/Dockerfile'), { SERVICE: 'gateway' });
    for (const name of ['service', 'federation-gateway']) {
      const stage = steps.find((one) => one.name === name)?.steps ?? [];
      const texts = stage.map(({ instruction, text }) => `${instruction} ${text}`);
      const folder = /SUPERGRAPH_COPIES=(\S+)\/supergraphs/.exec(texts.join('\n'))?.[1];
      expect(texts[texts.indexOf(`WORKDIR ${folder}`) + 1]).toBe('RUN chown 1000:1000 .');
      expect(texts).toContain('USER 1000:1000');
      expect(compose.services.gateway).toMatchObject({
        volumes: [`supergraphs:${folder}`],
        environment: { SUPERGRAPH_COPIES: `\${SUPERGRAPH_COPIES:-${folder}/supergraphs}` },
      });
    }
    expect(compose.volumes).toHaveProperty('supergraphs');
  });

  it('keeps the number of replicas in a variable, so that no later command resets it', () => {
    for (const name of SERVICES) {
      expect(compose.services[name].scale).toMatch(/^\$\{[A-Z]+_REPLICAS:-1\}$/);
    }
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
    for (const name of SERVICES) {
      expect(services[name].ports).toBeUndefined();
    }
    const published = Object.values<{ ports?: string[] }>(services)
      .flatMap(({ ports = [] }) => ports)
      .map((port) => port.split(':').at(-2));
    expect(new Set(published).size).toBe(published.length);
    expect(published).toEqual(expect.arrayContaining(['4000', '8000', '8001']));
  });

  it('publishes ports only on the loopback address', () => {
    for (const [name, { ports = [] }] of servicesOf(compose)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  it('names images with their digest', async () => {
    const source = await read('docker/Dockerfile');
    const built = /^ARG NODE_IMAGE=(.*)$/m.exec(source)?.[1];
    const images = [...servicesOf(compose), ...servicesOf(open)].flatMap(([, { image = '' }]) =>
      /^(\$\{GUDANG_REGISTRY:-\}gudang\/|$)/.test(image) ? [] : [image],
    );
    expect(images.length).toBeGreaterThan(6);
    // Their digests could not be confirmed by two independent sources.
    const byTag = ['otel/opentelemetry-collector:0.137.0', 'jaegertracing/jaeger:2.10.0'];
    for (const image of [built, ...images]) {
      if (byTag.includes(image ?? '')) continue;
      expect(image).toMatch(/^(\$\{[A-Z]+_IMAGE:-)?[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}\}?$/);
    }
  });

  it('uses no image of a Dockerfile syntax, and installs no tool outside the lock file', async () => {
    const source = await read('docker/Dockerfile');
    expect(source).not.toMatch(/^# *syntax=/m);
    expect(source).not.toMatch(/npm (exec|install)|\bnpx \w/);
  });

  it('needs no feature of an Engine newer than 20.10', () => {
    expect(JSON.stringify(compose)).not.toContain('start_interval');
  });

  it('has no default for a secret of the services', () => {
    for (const name of SERVICES) {
      const { SUBGRAPH_SECRET, JWT_SECRET } = compose.services[name].environment;
      expect([SUBGRAPH_SECRET, JWT_SECRET], name).toEqual([null, null]);
    }
  });
});

describe('compose.public.yaml', () => {
  it('requires auth, and has a default for no secret', () => {
    for (const name of SERVICES) {
      const { environment } = open.services[name];
      expect(environment, name).toMatchObject({ AUTH: 'jwt', NODE_ENV: 'production' });
      for (const setting of ['JWT_ISSUER', 'JWT_AUDIENCE', 'SUBGRAPH_SECRET']) {
        expect(environment[setting], name).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
      }
    }
    expect(open.services.postgres.environment.POSTGRES_PASSWORD).toMatch(/:\?/);
  });

  it('publishes only the ports of TLS', () => {
    const published = servicesOf(open).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => `${name} ${port}`),
    );
    expect(published).toEqual([
      'tls 0.0.0.0:80:80',
      'tls 0.0.0.0:443:443',
      'tls 0.0.0.0:443:443/udp',
    ]);
  });
});

describe('the edge', () => {
  it('starts with any limit of open files', async () => {
    expect(await read('docker/haproxy.cfg')).not.toMatch(/^\s*maxconn/m);
  });

  it('replaces X-Forwarded-For, except on unpublished ports, and the services trust it', async () => {
    const config = await read('docker/haproxy.cfg');
    const ports = [
      ...config.matchAll(
        /http-request set-header X-Forwarded-For %\[src\] unless \{ dst_port (\d+) \}/g,
      ),
    ].map(([, port]) => port);
    expect(ports).toEqual(['4001', '8002', '8003']);
    const published = servicesOf(compose).flatMap(([, { ports = [] }]) => ports);
    for (const port of [...ports, '9000', '9001']) {
      expect(published.filter((one) => one.endsWith(`:${port}`))).toEqual([]);
      expect(config).toContain(`bind :${port}\n`);
    }
    for (const name of SERVICES) {
      expect(compose.services[name].environment.TRUSTED_PROXIES).toMatch(/:-uniquelocal\}$/);
    }
    const caddy = await read('docker/Caddyfile');
    expect([...caddy.matchAll(/edge:(\d+)/g)].map(([, port]) => port).sort()).toEqual(ports);
  });

  it('forwards only listed paths', async () => {
    const config = await read('docker/haproxy.cfg');
    const frontends = config.split(/^frontend /m).slice(1);
    expect(frontends.map((text) => text.split('\n')[0])).toEqual([
      'graph',
      'orders',
      'stocks',
      'order-graphql',
      'stock-graphql',
      'health',
    ]);
    expect(frontends.at(-1)).toContain('bind 127.0.0.1:9002');
    for (const frontend of frontends.slice(0, -1)) {
      expect(frontend).toMatch(/http-request return status 404 unless \{ path \//);
      expect(frontend).not.toMatch(/metrics|readyz|status \/|healthz/);
    }
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
});
