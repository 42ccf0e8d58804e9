import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Environment, Exit } from './service-process.ts';

export interface ScriptResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
  /** Non-empty lines of stderr, then of stdout. */
  readonly lines: readonly string[];
}

/**
 * Runs a script of the build to its end, or kills the script after `within` milliseconds.
 * @param environment the whole environment except PATH
 */
export async function runScript(
  script: string,
  environment: Environment,
  { args = [], within = 30_000 }: { args?: readonly string[]; within?: number } = {},
): Promise<ScriptResult> {
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
