import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLL_MS = 25;
const KILL_AFTER_MS = 4000;

/**
 * Stops a process that is still running because an earlier start was killed.
 * @param pidFile the file with the process id; it is removed afterwards
 * @param mentions text that the process's command line must contain, because the operating system
 *   may have given the process id to another program
 * @returns the process id, or undefined if no such process ran
 */
export async function stopLeftover(
  pidFile: string,
  mentions: string,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<number | undefined> {
  const pid = await readPid(pidFile);
  const found = pid !== undefined && (await isOurs(pid, mentions));
  if (found) {
    send(pid, signal);
    const killAt = Date.now() + KILL_AFTER_MS;
    while (send(pid, 0)) {
      if (Date.now() > killAt) send(pid, 'SIGKILL');
      await sleep(POLL_MS);
    }
  }
  await rm(pidFile, { force: true });
  return found ? pid : undefined;
}

/**
 * Reads the process id in the first line of a file. Returns undefined if the file does not exist or
 * does not begin with a number.
 */
export async function readPid(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return pid > 1 ? pid : undefined;
}

/** Whether the process runs and its command line contains the text. */
export async function isOurs(pid: number, mentions: string): Promise<boolean> {
  if (pid === process.pid || !send(pid, 0)) return false;
  return (await commandLine(pid)).includes(mentions);
}

async function commandLine(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    // Use `ps` on a system without /proc, for example macOS.
    return run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(
      ({ stdout }) => stdout,
      () => '',
    );
  }
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
