import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const program = fileURLToPath(new URL('./testing/logging-process.ts', import.meta.url));

it('does not delay the exit of a process whose stdout has no reader', async () => {
  const child = spawn(process.execPath, ['--conditions=source', '--import=tsx', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  child.stdout.destroy();
  child.stdin.end();
  expect(await exited).toEqual([3, null]);
});
