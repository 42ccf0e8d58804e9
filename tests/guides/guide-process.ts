import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { eventually } from '@gudang/testing/eventually';

/** A running command of a guide. */
export interface GuideProcess {
  readonly command: string;
  /** Id of the process group. */
  readonly id: number | undefined;
  /** Lines of stdout and stderr so far. */
  readonly lines: readonly string[];
  /** Resolves when the command ends; rejects with its output if it fails. */
  readonly ended: Promise<void>;
  /** Ends the command and all its child processes, and waits for them. */
  readonly stop: () => Promise<void>;
}

/** Variables that npm and Vitest set, which would change what a command in another folder does. */
const OF_THIS_RUN =
  /^(?:npm_(?!config_registry$)|INIT_CWD$|NODE_ENV$|NODE_OPTIONS$|CI$|FORCE_COLOR$|VITE|TEST$|DEV$|PROD$|MODE$|BASE_URL$)/;

/** Returns the environment of a reader's terminal: this process's, without what `npm run` and Vitest add. */
export function readerEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !OF_THIS_RUN.test(name));
  const path = (process.env['PATH'] ?? '').split(':').filter((part) => !/node_modules/.test(part));
  return { ...Object.fromEntries(kept), PATH: path.join(':') };
}

/**
 * Runs a command of a guide with a shell, like a reader.
 * @param folder working directory
 * @param environment additional variables
 */
export function runInGuide(
  command: string,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): GuideProcess {
  // With its own process group, also the shell's and npx's children are stopped.
  const child = spawn(command, {
    cwd: folder,
    shell: true,
    detached: true,
    env: { ...readerEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} failed in ${folder}:\n${lines.join('\n')}`));
    });
  });
  const settled = ended.catch(() => {});
  const stop = async () => {
    killGroup(child);
    await settled;
  };
  return { command, id: child.pid, lines, ended, stop };
}

/** Resolves to the address that Vite prints when it serves an app; rejects if Vite ends. */
export async function addressOf({ lines, ended }: GuideProcess): Promise<string> {
  const printed = eventually(
    () => /http:\/\/[\w.]+:\d+\//.exec(lines.join('\n'))?.[0] ?? '',
    (address) => address !== '',
    { until: 'Vite prints its address', within: 60_000 },
  );
  return Promise.race([printed, ended.then(() => printed)]);
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended.
  }
}
