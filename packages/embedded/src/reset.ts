import { StartError } from '@gudang/runtime/errors';
import { runReset } from './npm-start/run-reset.ts';

try {
  await runReset(process.argv.slice(2), { input: process.stdin, output: process.stdout });
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
