import { resolve } from 'node:path';
import { CommandError, parseCommand, USAGE } from './cli.ts';
import { exportStocks } from './export-stocks.ts';
import { createGraphClient } from './graph-client.ts';
import { importFile } from './import/import-file.ts';
import { createProgress } from './progress.ts';
import { readSettings } from './settings.ts';

try {
  const command = parseCommand(process.argv.slice(2));
  const { url, token, keptDays, folder } = readSettings(process.env);
  const client = createGraphClient({ url, token });
  const progress = createProgress(process.stderr);
  if (command.verb === 'import') {
    const file = resolve(folder, command.file);
    const { refused } = await importFile({ ...command, file }, { client, progress, keptDays });
    process.exitCode = refused === 0 ? 0 : 1;
  } else {
    const file = command.file === undefined ? undefined : resolve(folder, command.file);
    const count = await exportStocks(
      { ...command, file },
      { client, progress, stdout: process.stdout },
    );
    progress.print(`Exported: ${count} stocks.`);
  }
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  process.stderr.write(`${error.message}\n${error.isUsage ? `\n${USAGE}` : ''}`);
  process.exitCode = error.isUsage ? 2 : 1;
}
