import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './snippets.ts';

const run = promisify(execFile);

/** The URLs that the tests use instead of the URLs in the documentation. */
export interface Addresses {
  readonly [documented: string]: string;
}

/**
 * Runs the commands of a snippet. Commands that install, start or stop whole systems are not run. Instead,
 * the function checks that another test runs them, or that the files they name exist.
 * @throws if a command fails or is unknown
 */
export async function runShell(text: string, addresses: Addresses): Promise<void> {
  const commands = text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => (line.startsWith('curl ') ? [line] : line.replace(/#.*$/, '').split('&&')))
    .map((command) => command.trim())
    .filter((command) => command !== '');
  for (const command of commands) await runCommand(command, addresses);
}

/**
 * Checks the commands of a snippet that belong to another machine, such as a server: their syntax, and
 * that the scripts and files of this repository that they name exist. Such snippets have the language
 * `shell` instead of `sh`.
 * @throws {Error} if a check fails
 */
export async function checkShell(text: string): Promise<void> {
  await run('sh', ['-n', '-c', text]);
  for (const [command, script = ''] of text.matchAll(/npm run ([\w:-]+)/g)) {
    await mustHaveScript(command, script);
  }
  for (const [path] of text.matchAll(/\b(?:docker|k8s)\/[\w./-]+\b/g)) await mustExist(text, path);
}

async function runCommand(command: string, addresses: Addresses): Promise<void> {
  const words = command.split(/\s+/);
  const [program = '', first = '', second = ''] = words;
  switch (program) {
    case 'curl':
      return runCurl(command, addresses);
    case 'npm':
      if (first === 'install') return mustExist(command, join('node_modules', second));
      return runScript(command, first === 'run' ? second : first);
    case 'npx': {
      await mustExist(command, join('node_modules/.bin', first));
      for (const path of words.filter((word) => word.includes('/'))) await mustExist(command, path);
      return;
    }
    // The tests have no Docker engine and no cluster, so these commands are not run. Only their paths are
    // checked here; tests/deploy verifies the files.
    case 'docker':
    case 'kubectl':
    case 'kustomize':
    case 'kind':
      for (const path of words.filter((word) => /^(docker|k8s)\//.test(word))) {
        await mustExist(command, path);
      }
      return;
    case 'node':
    case 'sh':
      return mustExist(command, first.replace('dist/', 'src/').replace(/\.js$/, '.ts'));
    case 'export': {
      const [name = ''] = first.split('=');
      const settings = await readFile(join(repository, 'docs/SETTINGS.md'), 'utf8');
      if (!settings.includes(`\`${name}\``))
        throw new Error(`${command}: docs/SETTINGS.md does not have this setting`);
      return;
    }
    case 'mkdir':
    case 'cd':
      return;
    default:
      throw new Error(`${command}: add a way to test this command to ${import.meta.url}`);
  }
}

/**
 * Tests of the scripts that start whole systems or change files, by the script's name. Each entry has the
 * file of the test, and a text in that file which proves that the test runs the script.
 */
const STARTED_BY: Readonly<Record<string, readonly [file: string, words: string]>> = {
  ci: ['.ci/run', 'npm ci'],
  test: ['.ci/run', 'npm test'],
  start: ['packages/testing/src/system/npm-start.ts', 'packages/embedded/dist/start.js'],
  demo: ['tests/demo/demo.e2e.ts', 'demo.ts'],
  reset: ['packages/embedded/src/npm-start/run-reset.test.ts', 'runReset'],
  migrate: ['tests/e2e/readable-errors.e2e.ts', 'prisma/dist/migrate.js'],
  chaos: ['tests/chaos/short.e2e.ts', 'runFault'],
  settings: ['tests/docs/settings-page.e2e.ts', 'settingsPage'],
  supergraph: ['tests/docs/supergraph-file.test.ts', 'findStale'],
  schema: ['tests/docs/schema-page.test.ts', 'schemaPage'],
  'third-party': ['tests/docs/third-party-page.test.ts', 'thirdPartyPage'],
  build: ['package.json', '"test": "node packages/bundle/turbo.js build'],
  // This script is a part of the build, which every test needs.
  generate: ['turbo.json', '"generate"'],
};

async function mustHaveScript(command: string, script: string): Promise<void> {
  const { scripts } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  if (script !== 'ci' && !(script in scripts)) {
    throw new Error(`${command}: package.json does not have this script`);
  }
}

async function runScript(command: string, script: string): Promise<void> {
  await mustHaveScript(command, script);
  const [file, words] = STARTED_BY[script] ?? [];
  if (file === undefined || words === undefined) {
    throw new Error(`${command}: add the test that runs it to STARTED_BY`);
  }
  if (!(await readFile(join(repository, file), 'utf8')).includes(words)) {
    throw new Error(`${command}: ${file} does not run it`);
  }
}

async function mustExist(command: string, path: string): Promise<void> {
  if (!existsSync(join(repository, path))) throw new Error(`${command}: ${path} does not exist`);
}

/** Runs a curl command with the test's URLs. Every successful response is accepted. */
async function runCurl(command: string, addresses: Addresses): Promise<void> {
  let real = command;
  for (const [documented, address] of Object.entries(addresses)) {
    real = real.replaceAll(documented, address);
  }
  const { stdout } = await run('sh', ['-c', real.replace(/^curl/, 'curl -sS --fail-with-body')]);
  const { errors } = JSON.parse(stdout);
  if (errors) throw new Error(`${command} responded ${stdout}`);
}
