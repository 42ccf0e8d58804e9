import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { StartError } from '@gudang/runtime/errors';
import { gudangDirectory, repository } from '../gudang-directory.ts';
import { claimDirectory, stopLeftovers } from './claim-directory.ts';
import { deleteData, findData } from './reset-data.ts';
import { createBackingServers, planServices } from './service-plan.ts';
import { readStartSettings } from './start-settings.ts';

export const RESET_USAGE = `Usage: npm run reset [-- --yes]

Deletes all stocks and orders of the PostgreSQL and the Kafka that npm start runs, after a confirmation.
--yes deletes without a confirmation. Your own servers are not changed. The downloaded Kafka and the
logs are kept. GUDANG_DIR (default: .gudang) selects the folder.
`;

interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/**
 * Runs `npm run reset`.
 * @param words the arguments of the command line
 * @throws {StartError} if Gudang is running in the data directory, or if the words are wrong
 */
export async function runReset(words: readonly string[], terminal: Terminal): Promise<void> {
  const { yes = false, help = false } = parseWords(words);
  const print = (text: string): void => void terminal.output.write(`${text}\n`);
  if (help) return print(RESET_USAGE);
  const directory = gudangDirectory();
  if ((await findData(directory)).length === 0) return print(`There is no data in ${directory}.`);
  if (!yes && !terminal.input.isTTY) {
    throw new StartError(
      'Without a terminal, reset cannot ask for a confirmation. Add --yes: npm run reset -- --yes',
    );
  }
  await claimDirectory(directory);
  const question = `This deletes all stocks and orders in ${directory}. Continue? [y/N] `;
  if (!yes && !(await confirm(question, terminal))) return print('Nothing was deleted.');
  const { settings } = readStartSettings(process.env);
  const services = planServices(repository, process.env, settings, createBackingServers(settings));
  await stopLeftovers(directory, services, print);
  await deleteData(directory, await findData(directory));
  print('Deleted. The next npm start begins with the demo data.');
}

function parseWords(words: readonly string[]) {
  try {
    const options = { yes: { type: 'boolean', short: 'y' }, help: { type: 'boolean' } } as const;
    return parseArgs({ args: [...words], options }).values;
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n${RESET_USAGE}`);
  }
}

/** Asks a question. Returns false unless the answer is yes; Ctrl-C and the end of the input mean no. */
async function confirm(question: string, { input, output }: Terminal): Promise<boolean> {
  const lines = createInterface({ input, output });
  try {
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    lines.on('SIGINT', () => {
      output.write('\n');
      lines.close();
    });
    return /^y(es)?$/i.test((await Promise.race([lines.question(question), closed])).trim());
  } finally {
    lines.close();
  }
}
