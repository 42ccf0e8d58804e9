import { runStart } from './run-start.ts';
import { StartError } from './start-error.ts';
import { terminal } from './terminal.ts';

try {
  await runStart();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  terminal.problem(error.message);
  process.exit(1);
}
