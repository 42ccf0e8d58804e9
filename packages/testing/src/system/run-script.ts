import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Environment, Exit } from './part.ts';

export interface Ended extends Exit {
  readonly stdout: string;
  readonly stderr: string;
  /** Both, the lines of stderr first. */
  readonly lines: readonly string[];
}

/**
 * Runs a script of the build until it ends by itself; kills it when it takes too long.
 * @param environment all that it gets
 */
export async function runToEnd(
  script: string,
  environment: Environment,
  { args = [], within = 30_000 }: { args?: readonly string[]; within?: number } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'], ...environment } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), within);
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const [stdout, stderr, exit] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited,
  ]);
  clearTimeout(timer);
  const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '');
  return { ...exit, stdout, stderr, lines };
}
