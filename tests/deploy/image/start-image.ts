import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BuiltImage } from './run-stages.ts';

type Environment = Readonly<Record<string, string>>;

/** Runs the image's command as the image's user. The user owns no file of the image and cannot gain privileges. */
function spawnImage(node: string, image: BuiltImage, environment: Environment) {
  const [command, ...args] = image.command;
  if (command !== 'node') throw new Error(`The image's command must be node, but is ${command}`);
  const [user = '', group = ''] = image.user.split(':');
  const asUser = ['--reuid', user, '--regid', group, '--clear-groups', '--no-new-privs', '--'];
  return spawn('setpriv', [...asUser, node, ...args], {
    cwd: join(image.root, image.workingDirectory),
    env: { ...image.environment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs an image until it exits. @returns the last line of its output, and its exit code */
export async function runImage(
  node: string,
  image: BuiltImage,
  environment: Environment,
): Promise<string> {
  const child = spawnImage(node, image, environment);
  let last = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      last = line;
    });
  }
  const [code] = await once(child, 'close');
  return `${last} (exit code ${code})`;
}

export interface RunningImage {
  readonly url: string;
  /** Sends SIGTERM to the image's main process. @returns a description of the exit */
  readonly terminate: () => Promise<string>;
}

/** Starts an image on a free port. Resolves once `/readyz` responds with 200. */
export async function startImage(
  node: string,
  image: BuiltImage,
  environment: Environment,
): Promise<RunningImage> {
  const child = spawnImage(node, image, { ...environment, PORT: '0' });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  child.stderr.pipe(process.stderr);
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const port = /listening on http:\/\/[^:]+:(\d+)/.exec(line)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
    exited.then(([code]) => reject(new Error(`${image.workingDirectory} ended with ${code}`)));
  });
  const deadline = AbortSignal.timeout(30_000);
  while ((await fetch(`${url}/readyz`, { signal: deadline })).status !== 200);
  return {
    url,
    terminate: async () => {
      const from = performance.now();
      child.kill('SIGTERM');
      const [code, signal] = await exited;
      const seconds = ((performance.now() - from) / 1000).toFixed(1);
      return `${image.workingDirectory}: SIGTERM, then ${signal ?? `exit code ${code}`} after ${seconds} s`;
    },
  };
}
