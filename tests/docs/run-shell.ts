import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './snippets.ts';

const run = promisify(execFile);

/** Where the services of the documentation's addresses run in this test. */
export interface Addresses {
  readonly [documented: string]: string;
}

/**
 * Runs a snippet of commands, or, of those that install, start or stop whole systems, makes sure
 * that there is such a command: other tests run them.
 * @throws when a command fails or is of no known kind
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

async function runCommand(command: string, addresses: Addresses): Promise<void> {
  const words = command.split(/\s+/);
  const [program = '', first = '', second = ''] = words;
  const scripts = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')).scripts;
  switch (program) {
    case 'curl':
      return runCurl(command, addresses);
    case 'npm': {
      if (first === 'ci') return;
      if (first === 'install') return mustExist(command, join('node_modules', second));
      const script = first === 'run' ? second : first;
      if (!(script in scripts)) throw new Error(`${command}: package.json has no such script`);
      return;
    }
    case 'npx': {
      await mustExist(command, join('node_modules/.bin', first));
      for (const path of words.filter((word) => word.includes('/'))) await mustExist(command, path);
      return;
    }
    // No engine and no cluster where tests run: tests/deploy holds what these read.
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
      const settings = await readFile(join(repository, 'SETTINGS.md'), 'utf8');
      if (!settings.includes(`\`${name}\``))
        throw new Error(`${command}: there is no such setting`);
      return;
    }
    case 'mkdir':
    case 'cd':
      return;
    default:
      throw new Error(`${command}: no test knows how to run this`);
  }
}

async function mustExist(command: string, path: string): Promise<void> {
  if (!existsSync(join(repository, path))) throw new Error(`${command}: there is no ${path}`);
}

/** Runs it as it stands, but for the addresses, and takes any answer that is no failure. */
async function runCurl(command: string, addresses: Addresses): Promise<void> {
  let real = command;
  for (const [documented, address] of Object.entries(addresses)) {
    real = real.replaceAll(documented, address);
  }
  const { stdout } = await run('sh', ['-c', real.replace(/^curl/, 'curl -sS --fail-with-body')]);
  const { errors } = JSON.parse(stdout);
  if (errors) throw new Error(`${command} answers ${stdout}`);
}
