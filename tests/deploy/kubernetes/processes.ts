import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

/** Starts programs with a log file each, and stops them in reverse order. */
export class Processes {
  readonly #logs: string;
  readonly #running: { readonly name: string; readonly child: ChildProcess }[] = [];

  /** @param logs an existing folder */
  constructor(logs: string) {
    this.#logs = logs;
  }

  start(name: string, command: string, args: readonly string[], env = process.env): void {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const log = createWriteStream(join(this.#logs, `${name}.log`));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.on('error', (error) => log.write(`${error.message}\n`));
    this.#running.push({ name, child });
  }

  /** @throws if a program has exited */
  assertRunning(): void {
    for (const { name, child } of this.#running) {
      if (child.exitCode === null && child.signalCode === null) continue;
      throw new Error(`${name} exited: see ${join(this.#logs, `${name}.log`)}`);
    }
  }

  /** Sends SIGTERM to each program, and SIGKILL to those that run for 10 s more. */
  async stop(): Promise<void> {
    for (const { child } of this.#running.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    }
  }
}
