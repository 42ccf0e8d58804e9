import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Waits until the system closes the pipe because its writer is gone; then ends what the pid files name, at first in
 * order (SIGINT, of which PostgreSQL makes its fast shutdown), after 4 s by force.
 */
const SCRIPT = `
read -r _
pids=$(cat "$1"/*.pid "$1"/*/*.pid 2>/dev/null)
kill -INT $pids 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  kill -0 $pids 2>/dev/null || break
  sleep 0.2
done
kill -KILL $pids 2>/dev/null
umount -l "$1"/* 2>/dev/null
rm -rf "$1"
`;

export interface Watchdog {
  /** Calls it off. */
  stop(): Promise<void>;
}

/**
 * For a throw-away directory: ends the servers whose pid files are in it or in a folder of it, unmounts what is mounted
 * there, and removes it when this process is gone, however it went. After Ctrl-C in a test run or a SIGKILL no code of ours runs; a shell that waits still does.
 */
export function startWatchdog(directory: string): Watchdog {
  const shell = spawn('sh', ['-c', SCRIPT, 'watchdog', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Neither the shell nor the open pipe to it should keep a finished test run from ending.
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return {
    async stop() {
      if (shell.exitCode !== null || shell.signalCode !== null) return;
      shell.ref();
      shell.kill('SIGKILL');
      await once(shell, 'exit');
    },
  };
}
