import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Ends processes and removes a directory when this process is gone, however it went: SIGKILL and Ctrl-C included,
 * after which no code of ours runs. A shell waits on a pipe that the system closes when its writer dies.
 */
const SCRIPT = `
read -r _
directory=$1
shift
kill -INT "$@" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  kill -0 "$@" 2>/dev/null || break
  sleep 0.2
done
kill -KILL "$@" 2>/dev/null
rm -rf "$directory"
`;

export interface Watchdog {
  /** Calls it off, after its processes have been stopped. */
  stop(): Promise<void>;
}

export function startWatchdog(directory: string, pids: number[]): Watchdog {
  const shell = spawn('sh', ['-c', SCRIPT, 'watchdog', directory, ...pids.map(String)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // The open pipe alone would keep a finished test run from ending.
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return {
    async stop() {
      shell.ref();
      shell.kill('SIGKILL');
      if (shell.exitCode === null && shell.signalCode === null) await once(shell, 'exit');
    },
  };
}
