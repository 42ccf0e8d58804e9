import { SettingsError } from '@gudang/runtime/settings';
import { MoveInError, USAGE } from './cli.ts';
import { runCommand } from './run-command.ts';

try {
  await runCommand(process.argv.slice(2));
  // kafkajs's remaining timers would keep the process running for seconds.
  process.exit(0);
} catch (error) {
  if (!(error instanceof MoveInError || error instanceof SettingsError)) throw error;
  const isUsage = error instanceof MoveInError && error.isUsage;
  process.stderr.write(`${error.message}\n${isUsage ? `\n${USAGE}` : ''}`);
  process.exit(isUsage ? 2 : 1);
}
