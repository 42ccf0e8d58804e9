import { runStart } from './npm-start/npm-start.ts';
import { StartError } from './start-error.ts';
import { terminal } from './terminal/terminal.ts';

try {
  await runStart();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  terminal.problem(error.message);
  process.exit(1);
}
