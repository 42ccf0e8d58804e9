import { StartError } from '@gudang/runtime/errors';
import { runNpmStart } from './npm-start/npm-start.ts';
import { terminal } from './terminal/terminal.ts';

try {
  await runNpmStart();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  terminal.error(error.message);
  process.exit(1);
}
