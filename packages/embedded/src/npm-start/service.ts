import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, describeExit, startChild } from '../processes/child.ts';
import type { Part } from '../processes/supervise.ts';
import { StartError } from '../start-error.ts';
import { openLogFile } from '../terminal/log-file.ts';
import { readServiceLine, type ServiceLine } from '../terminal/service-line.ts';
import { whyNotReady } from './why-not-ready.ts';

const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 2000;
const TELL_AFTER_MS = 10_000;
const STOP_WHILE_STARTING_MS = 1000;

export interface ServiceOptions {
  name: string;
  /** The file that Node runs. */
  script: string;
  env: NodeJS.ProcessEnv;
  /** Where it answers: `http://127.0.0.1:8000`. */
  address: string;
  /** Gets everything it writes. */
  logFile: string;
  pidFile: string;
  /** Gets the warnings and errors among it. */
  complain: (line: ServiceLine) => void;
  log: (line: string) => void;
  signal: AbortSignal;
}

/**
 * One of the services as a child process, ready when its /readyz says so. A service that is not ready is waited for:
 * it says itself why, and that is passed on.
 * @throws {StartError} when it exits by itself before it is ready
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
  const drained = streams.map((stream) => drain(stream, output.write, options.complain));
  void Promise.all(drained).then(output.close);
  await ready(child, options);
  return child;
}

async function drain(
  stream: Readable,
  write: (text: string) => void,
  complain: (line: ServiceLine) => void,
): Promise<void> {
  for await (const line of createInterface({
    input: stream,
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    write(`${line}\n`);
    const complaint = readServiceLine(line);
    if (complaint) complain(complaint);
  }
}

async function ready(child: Child, { name, address, logFile, log, signal }: ServiceOptions) {
  let tellAt = Date.now() + TELL_AFTER_MS;
  for (;;) {
    const answer = await probe(`${address}/readyz`);
    const exit = child.exit();
    if (exit?.signal) throw new Error(`ended while starting: ${exit.signal}`);
    if (exit) {
      throw new StartError(`${name} ended while starting (${describeExit(exit)}); see ${logFile}`);
    }
    if (answer === 'ready') return;
    if (signal.aborted) {
      await child.stop(STOP_WHILE_STARTING_MS);
      throw signal.reason;
    }
    if (Date.now() > tellAt) {
      log(`not ready yet: ${answer}`);
      tellAt = Date.now() + TELL_AFTER_MS;
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
