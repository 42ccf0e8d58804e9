#!/usr/bin/env node
/**
 * Runs turbo tasks for the scripts of the root package.json. Example:
 * `turbo.js build --filter=@gudang/prisma`. Prints nothing unless a task fails or the run takes
 * longer than a second. Turbo's own banner and telemetry notice are hidden, because they say
 * nothing about Gudang.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { argv, env, execPath, exit, stderr, stdout } from 'node:process';

const turbo = createRequire(import.meta.url).resolve('turbo/bin/turbo');
const child = spawn(
  execPath,
  [turbo, 'run', ...argv.slice(2), '--output-logs=errors-only', '--log-order=grouped'],
  {
    env: {
      ...(stdout.isTTY && { FORCE_COLOR: '1' }),
      ...env,
      TURBO_TELEMETRY_DISABLED: '1',
      TURBO_NO_UPDATE_NOTIFIER: '1',
      TURBO_PRINT_VERSION_DISABLED: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  },
);

const output = [];
for (const stream of [child.stdout, child.stderr]) {
  stream.on('data', (chunk) => output.push(chunk));
}
const notice = setTimeout(() => {
  stdout.write('Building the packages. The first build takes about 15 seconds.\n');
}, 1_000);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => {
  clearTimeout(notice);
  if (code !== 0) stderr.write(Buffer.concat(output));
  exit(code ?? 1);
});
