import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { CommandError, type ExportCommand } from './cli.ts';
import type { GraphClient } from './graph-client.ts';
import type { Progress } from './progress.ts';
import type { Format } from './rows/format.ts';
import { encodeHeader, encodeRow } from './rows/write-row.ts';

const COLUMNS = ['id', 'name', 'quantity', 'version', 'createdAt', 'updatedAt'];
const PAGE = `query Export($after: String) {
  stocks(first: 100, after: $after) {
    nodes { ${COLUMNS.join(' ')} }
    pageInfo { hasNextPage endCursor }
  }
}`;

interface Page {
  readonly stocks: {
    readonly nodes: readonly Readonly<Record<string, unknown>>[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

/**
 * Writes all stocks, newest first. A stock that is added meanwhile is not written. A file replaces an
 * earlier file only when it is complete.
 * @param stdout the stream of an export without a file
 * @returns the number of stocks
 * @throws {CommandError} if the gateway stays unavailable or the file cannot be written
 */
export async function exportStocks(
  { file, format }: ExportCommand,
  {
    client,
    progress,
    stdout,
  }: { client: GraphClient; progress: Progress; stdout: NodeJS.WritableStream },
): Promise<number> {
  if (file === undefined) return writePages(stdout, format, { client, progress });
  const partial = `${file}.part`;
  const stream = createWriteStream(partial);
  try {
    const count = await writePages(stream, format, { client, progress });
    stream.end();
    await finished(stream);
    await rename(partial, file);
    return count;
  } catch (error) {
    stream.destroy();
    await rm(partial, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CommandError(`${file} cannot be written: ${message}`);
  }
}

async function writePages(
  out: NodeJS.WritableStream,
  format: Format,
  { client, progress }: { client: GraphClient; progress: Progress },
): Promise<number> {
  let failure: Error | undefined;
  out.once('error', (error) => {
    failure = error;
  });
  let count = 0;
  let after: string | null = null;
  let text = encodeHeader(format, COLUMNS);
  do {
    const { stocks }: Page = await client.run<Page>(PAGE, { after });
    text += stocks.nodes.map((stock) => encodeRow(format, COLUMNS, stock)).join('');
    if (failure) throw failure;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
    count += stocks.nodes.length;
    progress.update(count, undefined);
    after = stocks.pageInfo.hasNextPage ? stocks.pageInfo.endCursor : null;
  } while (after !== null);
  return count;
}
