import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const TICKS_PER_SECOND = 100;

/** A child process that answers each message with one message. */
export interface Child {
  readonly pid: number;
  readonly ask: <T>(message: object) => Promise<T>;
  readonly stop: () => Promise<void>;
}

export interface Usage {
  readonly cpuMs: number;
  readonly rssKib: number;
}

/** Starts a script; its path is relative to this folder. */
export function startChild(script: string, ...args: string[]): Promise<Child> {
  return startChildWith({}, script, ...args);
}

/** Starts a script with additional environment variables; its path is relative to this folder. */
export async function startChildWith(
  environment: Readonly<Record<string, string>>,
  script: string,
  ...args: string[]
): Promise<Child> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = fork(path, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let fail = (_error: Error): void => {};
  child.once('exit', () => fail(new Error(`${script} ended`)));
  const answer = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      fail = reject;
      child.once('message', (message) => resolve(message as T));
    });
  await answer();
  return {
    pid: child.pid ?? 0,
    ask: <T>(message: object) => {
      const answered = answer<T>();
      child.send(message);
      return answered;
    },
    stop: () => ended(child),
  };
}

/** Starts the gateway's production build; resolves with its URL. */
export async function startGateway(environment: Record<string, string>) {
  const main = fileURLToPath(new URL('../../gateway/dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...environment, PORT: '0', NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      text += chunk;
      const found = /listening on (http:\/\/[^"\s]+)/.exec(text);
      if (found?.[1]) resolve(found[1]);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', () => reject(new Error(`the gateway ended: ${text}`)));
  });
  return { pid: child.pid ?? 0, url, output: () => text, stop: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** Reads a process's CPU time so far and its current memory from the kernel. */
export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const rss = /VmRSS:\s+(\d+)/.exec(status)?.[1];
  return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, rssKib: Number(rss) };
}
