import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * The shell's `read` returns when this process, which holds the other end of the pipe, has exited.
 * SIGINT requests a fast shutdown of PostgreSQL. SIGKILL follows after 4 s.
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
  /** Stops the watchdog without any clean-up. */
  stop(): Promise<void>;
}

/**
 * Cleans up a temporary directory after this process has exited, even if it was killed by SIGKILL.
 * A separate shell stops the servers whose pid files are in the directory or one of its folders,
 * unmounts file systems that are mounted there, and removes the directory.
 */
export function startWatchdog(directory: string): Watchdog {
  const shell = spawn('sh', ['-c', SCRIPT, 'watchdog', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Do not let the shell and its pipe keep a finished test run from exiting.
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
