import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { StartError } from '@gudang/runtime/errors';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  command: string;
  args: string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  stdio: StdioOptions;
  /** The signal for an orderly stop. Default: SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /**
   * The file that contains the process id while the child runs. A later start can find a leftover
   * child by this file.
   */
  pidFile: string;
}

export interface Child {
  pid: number;
  process: ChildProcess;
  exited: Promise<Exit>;
  /** Returns the exit; undefined while the child runs. */
  exit(): Exit | undefined;
  /**
   * Sends the stop signal and waits for the exit. Kills the child after `deadlineMs` (default: 4,000).
   * Never throws. A second call with a shorter deadline is allowed.
   */
  stop(deadlineMs?: number): Promise<void>;
}

const STOP_DEADLINE_MS = 4000;
const LOG_TAIL_LINES = 8;
const running = new Set<number>();

/**
 * Starts a child in its own process group. On Ctrl-C, a terminal signals its whole foreground
 * process group. Children in that group would all end at once instead of in order.
 * @throws {StartError} if the command cannot be executed
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args, cwd, env, stdio, stopSignal = 'SIGTERM', pidFile } = options;
  const child = spawn(command, args, { cwd, env, stdio, detached: true });
  // Write the pid file before the first await: a later start can find the child only by this file.
  if (child.pid) {
    running.add(child.pid);
    writeFileSync(pidFile, `${child.pid}\n`);
  }
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new StartError(`${command} cannot be executed (${(error as Error).message})`);
  }
  const pid = child.pid as number;
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      running.delete(pid);
      rmSync(pidFile, { force: true });
      resolve(exit);
    });
  });
  const stop = async (deadlineMs = STOP_DEADLINE_MS) => {
    if (exit) return;
    if (deadlineMs > 0) child.kill(stopSignal);
    const timer = setTimeout(() => killGroup(pid), deadlineMs);
    await exited;
    clearTimeout(timer);
  };
  return { pid, process: child, exited, exit: () => exit, stop };
}

/** Kills all running children. Called as the last step before the process exits. */
export function killChildren(): void {
  for (const pid of running) killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has already exited.
  }
}

/** Returns text such as `exit code 1` or `SIGKILL`. */
export function describeExit({ code, signal }: Exit): string {
  return signal ?? `exit code ${code}`;
}

/**
 * Returns the last 8 lines of a log file, for a message about an exit; an empty text if there is no
 * file.
 */
export async function readLogTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
