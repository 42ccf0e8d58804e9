import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readDockerfile } from './dockerfile.ts';
import { type BuiltImage, runStages } from './run-stages.ts';

const exec = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Builds the images of the services, of the migrations and of the gateway alone from the committed files, by running the
 * Dockerfile's steps in a folder. It takes a few minutes and needs the npm registry.
 * @param directory an existing folder without a folder `context`
 */
export async function buildImages(
  directory: string,
  print: (line: string) => void,
): Promise<Record<'gateway' | 'order' | 'stock' | 'migrate' | 'federationGateway', BuiltImage>> {
  const context = join(directory, 'context');
  await mkdir(context);
  const ignored = await readFile(join(repository, '.dockerignore'), 'utf8');
  await copyContext(repository, ignored, context);
  const source = await readFile(join(context, 'docker/Dockerfile'), 'utf8');
  const done = new Map<string, BuiltImage>();
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    npm_config_loglevel: 'error',
  };
  const build = async (service: string, target = 'service'): Promise<BuiltImage> => {
    const stages = readDockerfile(source, { SERVICE: service });
    const built = await runStages(stages, { target, context, directory, environment, done, print });
    const { stdout } = await exec('du', ['-sm', built.root]);
    print(`${service}: ${stdout.split('\t')[0]} MB`);
    return built;
  };
  return {
    migrate: await build('prisma', 'migrate'),
    gateway: await build('gateway'),
    order: await build('order-subgraph'),
    stock: await build('stock-subgraph'),
    federationGateway: await build('federation-gateway', 'federation-gateway'),
  };
}

/**
 * Installs Node 24 from npm in a folder where the images' user may run it.
 * @returns the path of the program
 */
export async function installNode24(
  directory: string,
  print: (line: string) => void,
): Promise<string> {
  const args = ['exec', '--yes', '--package=node@24', '--', 'node', '-p', 'process.execPath'];
  const { stdout } = await exec('npm', args, { cwd: directory });
  const node = join(directory, 'node');
  await copyFile(stdout.trim().split('\n').at(-1) ?? '', node);
  await chmod(node, 0o755);
  const { stdout: version } = await exec(node, ['--version']);
  print(`Node ${version.trim()} from ${dirname(stdout.trim())}`);
  return node;
}

/** Copies the build context: the committed files, without those that .dockerignore lists. */
async function copyContext(repository: string, ignored: string, to: string): Promise<void> {
  const patterns = ignored.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const excluded = patterns.flatMap((one) => [one, `${one}/**`]);
  const paths = ['.', ...excluded.map((pattern) => `:(exclude,glob)${pattern}`)];
  const archive = join(to, '.context.tar');
  await exec('git', ['archive', '--output', archive, 'HEAD', '--', ...paths], { cwd: repository });
  await exec('tar', ['-xf', archive, '-C', to]);
  await rm(archive);
}
