import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repository } from '../gudang-directory.ts';

/** A checkout whose build and whose fetch of Kafka are replaced by the files below. */
let checkout: string;

/** The build waits until the fetch runs, then it "builds" the start. */
const BUILD = `
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
console.log('build', process.argv.slice(2).includes('--filter=@gudang/gateway'));
while (process.env.WAIT_FOR_FETCH && !existsSync('fetching')) await new Promise((r) => setTimeout(r, 10));
mkdirSync('packages/embedded/dist', { recursive: true });
writeFileSync('packages/embedded/dist/start.js', "console.log('started'); process.exit();");
process.exit(Number(process.env.BUILD_CODE ?? 0));
`;
/** The fetch runs until it is stopped. */
const FETCH = `
import { writeFileSync } from 'node:fs';
process.once('SIGTERM', () => { console.log('fetch stopped'); process.exit(); });
setTimeout(() => {}, 10_000);
writeFileSync('fetching', '');
`;

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'gudang-checkout-'));
  await mkdir(join(checkout, 'packages/embedded/src/kafka'), { recursive: true });
  await mkdir(join(checkout, 'packages/bundle'));
  await cp(
    join(repository, 'packages/embedded/start.js'),
    join(checkout, 'packages/embedded/start.js'),
  );
  await writeFile(join(checkout, 'packages/bundle/turbo.js'), BUILD);
  await writeFile(join(checkout, 'packages/embedded/src/kafka/fetch-kafka.ts'), FETCH);
  await manifest('>=20.19');
});
afterEach(() => rm(checkout, { recursive: true }));

const manifest = (node: string): Promise<void> =>
  writeFile(join(checkout, 'package.json'), JSON.stringify({ type: 'module', engines: { node } }));
const installDependencies = (): Promise<void> =>
  symlink(join(repository, 'node_modules'), join(checkout, 'node_modules'));

/** Runs start.js in another folder than the checkout. */
async function start(env: NodeJS.ProcessEnv = {}) {
  const script = join(checkout, 'packages/embedded/start.js');
  const child = spawn(process.execPath, [script], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  return { code, lines: stdout.trim().split('\n'), stderr };
}

describe('packages/embedded/start.js', () => {
  it('fetches Kafka during the build, and stops the fetch when the start ends', async () => {
    await installDependencies();
    const { code, lines, stderr } = await start({ WAIT_FOR_FETCH: 'yes' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines).toEqual(['build true', 'started', 'fetch stopped']);
  });

  it.each([
    ['the user has a Kafka', { KAFKA_BROKERS: 'broker:9092' }],
    ['an earlier start has fetched Kafka', { GUDANG_DIR: 'elsewhere' }],
  ])('fetches nothing if %s', async (_what, env) => {
    await installDependencies();
    await mkdir(join(checkout, 'elsewhere/kafka/lib-4.1.1'), { recursive: true });
    expect((await start(env)).lines).toEqual(['build true', 'started']);
  });

  it('ends with the code of a failed build, and stops the fetch', async () => {
    await installDependencies();
    const { code, lines } = await start({ WAIT_FOR_FETCH: 'yes', BUILD_CODE: '3' });
    expect({ code, lines }).toEqual({ code: 3, lines: ['build true', 'fetch stopped'] });
  });

  it('says that dependencies are not installed, and which Node is needed', async () => {
    expect(await start()).toEqual({
      code: 1,
      lines: [''],
      stderr: 'The dependencies are not installed: run npm ci first\n',
    });
    await manifest('>=99.5');
    expect((await start()).stderr).toBe(
      `Gudang needs Node 99.5 or newer; this is Node ${process.versions.node}\n`,
    );
  });
});
