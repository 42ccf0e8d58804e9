import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@gudang/runtime/errors';
import { type Child, describeExit, startChild } from '../processes/child.ts';
import type { Part } from '../processes/supervise.ts';
import { openLogFile } from '../terminal/log-file.ts';
import { readServiceLine, type ServiceLine } from '../terminal/service-line.ts';

const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 2000;
const REPORT_EVERY_MS = 10_000;
const STOP_WHILE_STARTING_MS = 1000;

export interface ServiceOptions {
  name: string;
  /** The file that Node executes. */
  script: string;
  env: NodeJS.ProcessEnv;
  /** The service's address, such as `http://127.0.0.1:8000`. */
  address: string;
  /** Receives all output. */
  logFile: string;
  pidFile: string;
  /** Receives the lines that the terminal shows. */
  onLine: (line: ServiceLine) => void;
  log: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Starts a service as a child process. Resolves when `/readyz` reports that the service is ready;
 * there is no time-out. Until then, logs every 10 s why the service is not ready.
 * @throws {StartError} if the service exits before it is ready
 */
export async function startService(options: ServiceOptions): Promise<Part> {
  const { script, env, logFile, pidFile, signal } = options;
  signal.throwIfAborted();
  const child = await startChild({
    command: process.execPath,
    args: [script],
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    pidFile,
  });
  const output = openLogFile(logFile);
  const streams = [child.process.stdout, child.process.stderr] as Readable[];
  const drained = streams.map((stream) => drain(stream, output.write, options.onLine));
  void Promise.all(drained).then(output.close);
  await waitUntilReady(child, options);
  return child;
}

async function drain(
  stream: Readable,
  write: (text: string) => void,
  onLine: (line: ServiceLine) => void,
): Promise<void> {
  for await (const line of createInterface({
    input: stream,
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    write(`${line}\n`);
    const shown = readServiceLine(line);
    if (shown) onLine(shown);
  }
}

async function waitUntilReady(
  child: Child,
  { name, address, logFile, log, signal }: ServiceOptions,
) {
  let reportAt = Date.now() + REPORT_EVERY_MS;
  for (;;) {
    const answer = await probe(`${address}/readyz`);
    const exit = child.exit();
    if (exit?.signal) throw new Error(`exited during its start: ${exit.signal}`);
    if (exit) {
      throw new StartError(
        `${name} exited during its start (${describeExit(exit)}); see ${logFile}`,
      );
    }
    if (answer === 'ready') return;
    if (signal.aborted) {
      await child.stop(STOP_WHILE_STARTING_MS);
      throw signal.reason;
    }
    if (Date.now() > reportAt) {
      log(`not ready yet: ${answer}`);
      reportAt = Date.now() + REPORT_EVERY_MS;
    }
    await sleep(POLL_MS);
  }
}

async function probe(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const body = await response.text();
    return response.ok ? 'ready' : whyNotReady(response.status, body);
  } catch {
    return `no answer at ${url}`;
  }
}

/**
 * Returns why a service is not ready, from a `/readyz` response whose status is not 200: the
 * reasons of the parts that are down, or the status and the body if the body lists no such part.
 */
export function whyNotReady(status: number, body: string): string {
  try {
    const { parts } = JSON.parse(body) as {
      parts: Record<string, { state: string; reason?: string }>;
    };
    const down = Object.entries(parts).filter(([, { state }]) => state === 'down');
    if (down.length > 0) return down.map(([part, { reason }]) => `${part}: ${reason}`).join('; ');
  } catch {
    // The body is not a health report, so it is returned as text.
  }
  return `${status} ${body.slice(0, 300)}`.trim();
}
