import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { eventually } from '../eventually.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface PartOptions {
  /** Such as `order-2`, for messages. */
  readonly name: string;
  /** The file that Node runs. */
  readonly script: string;
  readonly args?: readonly string[];
  /** All that the process gets beside PATH. A PORT of 0 becomes the one it got, for later starts. */
  readonly environment: Environment;
  /** Gets the id of each process that it starts: for whoever ends them when this process was killed. */
  readonly pidFile?: string;
}

/** What `/readyz` answers. */
export interface Readiness {
  readonly status: number;
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly state: string; readonly reason?: string }>>;
}

/** One process of the system, through all its restarts. */
export interface Part {
  readonly name: string;
  /** Of the process that runs, or ran last. */
  readonly pid: number;
  /** The same after a restart. */
  readonly port: number;
  /** Such as `http://127.0.0.1:54321`, without a slash at the end. */
  readonly url: string;
  /** The end of the process that runs, or ran last; a restart begins a new one. */
  readonly exited: Promise<Exit>;
  readonly running: () => boolean;
  /** Sends a signal and does not wait; SIGKILL unless told otherwise. */
  readonly kill: (signal?: NodeJS.Signals) => void;
  /**
   * Starts it anew at the same port, after killing it with SIGKILL if it runs; resolves once it
   * listens. The environment is laid over the last one and stays for later restarts.
   */
  readonly restart: (environment?: Environment) => Promise<void>;
  /** Resolves once `/readyz` answers 200. */
  readonly ready: (withinMs?: number) => Promise<Readiness>;
  readonly readiness: () => Promise<Readiness>;
  /** All it has written, through all restarts, both streams. */
  readonly output: () => string;
  /** SIGTERM, and SIGKILL after the deadline; says whether it ended in time. */
  readonly stop: (deadlineMs?: number) => Promise<boolean>;
}

/** Starting takes 1 s; on a machine that does much else, thirty times that. */
const LISTENS_WITHIN_MS = 60_000;
const READY_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 15_000;
const ASK_WITHIN_MS = 5_000;
/** A port that was free a moment ago may serve as the near end of somebody's connection. */
const PORT_ATTEMPTS = 20;

/** The processes that run: a test run that breaks off takes them along. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs a process of the production build; resolves once it listens. */
export async function startPart(options: PartOptions): Promise<Part> {
  let environment = options.environment;
  let launched = launch(options, environment);
  const earlier: string[] = [];
  let url: URL;

  try {
    url = await launched.listening();
  } catch (error) {
    launched.child.kill('SIGKILL');
    throw error;
  }

  const relaunch = async (): Promise<void> => {
    for (let left = PORT_ATTEMPTS; ; left -= 1) {
      earlier.push(launched.output());
      launched = launch(options, environment);
      try {
        url = await launched.listening();
        return;
      } catch (error) {
        launched.child.kill('SIGKILL');
        await launched.exited;
        if (left === 0 || !launched.output().includes('is taken')) throw error;
      }
    }
  };

  const part: Part = {
    name: options.name,
    get pid() {
      return launched.child.pid as number;
    },
    get port() {
      return Number(url.port);
    },
    get url() {
      return url.origin;
    },
    get exited() {
      return launched.exited;
    },
    running: () => running.has(launched.child),
    kill: (signal = 'SIGKILL') => {
      if (running.has(launched.child)) launched.child.kill(signal);
    },
    restart: async (changes) => {
      part.kill('SIGKILL');
      await launched.exited;
      environment = { ...environment, ...changes, PORT: changes?.['PORT'] ?? url.port };
      await relaunch();
    },
    readiness: async () => {
      const response = await fetch(`${url.origin}/readyz`, {
        signal: AbortSignal.timeout(ASK_WITHIN_MS),
      });
      return { status: response.status, ...((await response.json()) as Omit<Readiness, 'status'>) };
    },
    ready: async (withinMs = READY_WITHIN_MS) => {
      const look = async () => (part.running() ? await part.readiness() : { gone: true as const });
      const seen = await eventually(look, (state) => 'gone' in state || state.status === 200, {
        until: `${options.name} is ready`,
        within: withinMs,
      });
      if ('gone' in seen) throw new Error(`${options.name} ended:\n${tail(part.output())}`);
      return seen;
    },
    output: () => [...earlier, launched.output()].join(''),
    stop: async (deadlineMs = STOPS_WITHIN_MS) => {
      part.kill('SIGTERM');
      // One that a test has stopped with SIGSTOP would not hear it.
      part.kill('SIGCONT');
      let inTime = true;
      const timer = setTimeout(() => {
        inTime = false;
        part.kill('SIGKILL');
      }, deadlineMs);
      await launched.exited;
      clearTimeout(timer);
      return inTime;
    },
  };
  return part;
}

/** The last lines of what a process wrote. */
export function tail(output: string, lines = 40): string {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}

/** Has each process write what it spent its CPU on when it ends, for benches: `CPU_PROFILES=<folder>`. */
const { CPU_PROFILES: profiles } = process.env;
const profiling = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];

function launch({ name, script, args = [], pidFile }: PartOptions, environment: Environment) {
  const child = spawn(process.execPath, [...profiling, script, ...args], {
    env: { PATH: process.env['PATH'], ...environment } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  if (pidFile) writeFileSync(pidFile, `${child.pid}\n`);
  const written: string[] = [];
  let url: URL | undefined;
  let exit: Exit | undefined;

  const read = (stream: Readable): void => {
    createInterface({ input: stream }).on('line', (line) => {
      written.push(`${line}\n`);
      url ??= addressIn(line);
    });
  };
  read(child.stdout);
  read(child.stderr);
  // "close" comes when all it wrote has been read, "exit" may come before.
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', () => {
      running.delete(child);
      if (pidFile) rmSync(pidFile, { force: true });
    });
    child.once('close', (code, signal) => {
      exit = { code, signal };
      resolve(exit);
    });
  });
  const output = (): string => written.join('');

  return {
    child,
    exited,
    output,
    listening: async (): Promise<URL> => {
      const seen = await eventually(
        () => ({ exit, url }),
        (state) => state.exit !== undefined || state.url !== undefined,
        { until: `${name} listens`, within: LISTENS_WITHIN_MS },
      );
      if (seen.url && !seen.exit) return seen.url;
      const { code, signal } = seen.exit ?? { code: null, signal: null };
      throw new Error(`${name} ended (${signal ?? `exit code ${code}`}):\n${tail(output())}`);
    },
  };
}

/** The address in the log line `{"msg": "listening on http://…", "url": "http://…"}`. */
function addressIn(line: string): URL | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { msg, url } = JSON.parse(line) as { msg?: unknown; url?: unknown };
    const isIt = typeof msg === 'string' && msg.startsWith('listening on ');
    return isIt && typeof url === 'string' ? new URL(url) : undefined;
  } catch {
    return undefined;
  }
}
