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

export interface ServiceProcessOptions {
  /** Name for messages, for example `order-2`. */
  readonly name: string;
  /** Path of the file that Node runs. */
  readonly script: string;
  readonly args?: readonly string[];
  /**
   * The whole environment except PATH. With `PORT=0`, the first start chooses a free port, and
   * restarts use the same port.
   */
  readonly environment: Environment;
  /**
   * File that holds the process id while the process runs. If the test process is killed, a
   * clean-up finds the process by this file.
   */
  readonly pidFile?: string;
}

/** Response of `/readyz`. */
export interface Readiness {
  readonly status: number;
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly state: string; readonly reason?: string }>>;
}

/** One process of the system across restarts. */
export interface ServiceProcess {
  readonly name: string;
  /** Id of the current or the last process. */
  readonly pid: number;
  /** The port stays the same after a restart. */
  readonly port: number;
  /** For example `http://127.0.0.1:54321`, without a trailing slash. */
  readonly url: string;
  /** Settles when the current process ends. A restart replaces this promise. */
  readonly exited: Promise<Exit>;
  readonly running: () => boolean;
  /** Sends a signal without waiting; default SIGKILL. */
  readonly kill: (signal?: NodeJS.Signals) => void;
  /**
   * Restarts the process on the same port; resolves once the process listens. If the process is
   * running, it is killed with SIGKILL. `environment` is merged into the previous environment and
   * kept for later restarts.
   */
  readonly restart: (environment?: Environment) => Promise<void>;
  /** Resolves once `/readyz` answers 200. */
  readonly ready: (withinMs?: number) => Promise<Readiness>;
  readonly readiness: () => Promise<Readiness>;
  /** Output so far (stdout and stderr), including that of the processes before each restart. */
  readonly output: () => string;
  /**
   * Sends SIGTERM, and SIGKILL after the deadline; resolves to whether the process ended in time.
   */
  readonly stop: (deadlineMs?: number) => Promise<boolean>;
}

/**
 * Time-out of a start, in milliseconds. A start usually takes 1 s, but up to 30 s on a loaded
 * machine.
 */
const LISTENS_WITHIN_MS = 60_000;
const READY_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 15_000;
const ASK_WITHIN_MS = 5_000;
/**
 * Maximum number of attempts to use the port. Between two starts, an outgoing connection of another
 * process may use this port.
 */
const PORT_ATTEMPTS = 20;

/** The images' settings of glibc, which reduce memory. */
const ALLOCATOR = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '1048576' };

/** Running processes; they are killed when the test run is aborted. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a process of the production build; resolves once it listens. */
export async function startServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
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

  const part: ServiceProcess = {
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
      const probe = async () => (part.running() ? await part.readiness() : { gone: true as const });
      const seen = await eventually(probe, (state) => 'gone' in state || state.status === 200, {
        until: `${options.name} is ready`,
        within: withinMs,
      });
      if ('gone' in seen) throw new Error(`${options.name} ended:\n${tail(part.output())}`);
      return seen;
    },
    output: () => [...earlier, launched.output()].join(''),
    stop: async (deadlineMs = STOPS_WITHIN_MS) => {
      part.kill('SIGTERM');
      // A process that a test has stopped with SIGSTOP does not receive SIGTERM until it continues.
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

/** Returns the last lines of a process's output. */
export function tail(output: string, lines = 40): string {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}

/**
 * Folder for CPU profiles of benchmarks. If it is set, each process writes a CPU profile there when
 * it ends.
 */
const { CPU_PROFILES: profiles } = process.env;
const profiling = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];

function launch(
  { name, script, args = [], pidFile }: ServiceProcessOptions,
  environment: Environment,
) {
  const child = spawn(process.execPath, [...profiling, script, ...args], {
    env: { PATH: process.env['PATH'], ...ALLOCATOR, ...environment } as NodeJS.ProcessEnv,
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
  // "close" is emitted after all output has been read; "exit" may be emitted earlier.
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

/** Returns the address in the log line `{"msg": "listening on http://…", "url": "http://…"}`. */
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

/** Matches a log line at `error` or `fatal`. Up to version 0.9.0, the services wrote pino's numbers. */
export const ERROR_LINE = /"level":(?:50|60|"error"|"fatal")/;
const WARNING_LEVELS = ['warn', 'error', 'fatal'];

/** Returns the messages that a process has logged at `warn` or above so far. */
export function warningsOf(part: Pick<ServiceProcess, 'output'>): string[] {
  return part
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string })
    .filter(({ level }) => WARNING_LEVELS.includes(level))
    .map(({ msg }) => msg);
}
