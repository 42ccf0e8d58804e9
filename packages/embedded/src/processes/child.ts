import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { StartError } from '../start-error.ts';

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
  /** The signal that asks for an orderly end; SIGTERM unless told otherwise. */
  stopSignal?: NodeJS.Signals;
  /** Holds the process id while it runs, so that a later start can find what an earlier one left behind. */
  pidFile: string;
}

export interface Child {
  pid: number;
  process: ChildProcess;
  exited: Promise<Exit>;
  /** Undefined while it runs. */
  exit(): Exit | undefined;
  /** Asks it to end and waits; after `deadlineMs` it is killed. Never throws; may be called again to be stricter. */
  stop(deadlineMs?: number): Promise<void>;
}

const STOP_DEADLINE_MS = 4000;
const alive = new Set<number>();

/**
 * A child in a process group of its own: Ctrl-C in a terminal goes to the whole foreground group, and would otherwise
 * end all parts at once instead of in order.
 * @throws {StartError} when the command cannot be run at all
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args, cwd, env, stdio, stopSignal = 'SIGTERM', pidFile } = options;
  const child = spawn(command, args, { cwd, env, stdio, detached: true });
  // Before anything is waited for: whoever cleans up after this process knows of no other trace.
  if (child.pid) {
    alive.add(child.pid);
    writeFileSync(pidFile, `${child.pid}\n`);
  }
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new StartError(`${command} cannot be run (${(error as Error).message})`);
  }
  const pid = child.pid as number;
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      alive.delete(pid);
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

/** Kills whatever startChild has started and still runs: the last resort of a process that leaves. */
export function killChildren(): void {
  for (const pid of alive) killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** `exit code 1` or `SIGKILL`. */
export function describeExit({ code, signal }: Exit): string {
  return signal ?? `exit code ${code}`;
}
