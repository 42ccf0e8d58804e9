import { CommandError } from '../cli.ts';
import type { GraphClient } from '../graph-client.ts';
import type { ImportRow, Mode, Refusal } from '../rows/import-row.ts';
import type { Batch } from './batches.ts';

interface ItemResult {
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** The mutation of each mode, and the type of its inputs. */
const MUTATIONS: Readonly<Record<Mode, readonly [field: string, input: string]>> = {
  create: ['addStocks', 'AddStockInput'],
  set: ['updateStocks', 'UpdateStocksInput'],
  adjust: ['adjustStocks', 'AdjustStocksInput'],
};

function mutationOf(mode: Mode): string {
  const [field, input] = MUTATIONS[mode];
  return `mutation Import($inputs: [${input}!]!, $key: String!) {
    results: ${field}(inputs: $inputs, idempotencyKey: $key) { error { code message } }
  }`;
}

/** A row that was refused, with the reason. */
export interface RefusedRow {
  readonly row: ImportRow;
  readonly refusal: Refusal;
}

/**
 * Applies a batch with one mutation.
 * @param key idempotency key of the batch
 * @returns the refused rows, in the order of the file; all others are applied
 */
export async function applyBatch(
  client: GraphClient,
  mode: Mode,
  { rows }: Batch,
  key: string,
): Promise<readonly RefusedRow[]> {
  const inputs = rows.flatMap(({ parsed }) => ('input' in parsed ? [parsed.input] : []));
  const { results } =
    inputs.length === 0
      ? { results: [] }
      : await client.run<{ results: readonly ItemResult[] }>(mutationOf(mode), { inputs, key });
  if (results.length !== inputs.length) {
    throw new CommandError(
      `The graph answered ${results.length} results for ${inputs.length} rows`,
    );
  }
  let next = 0;
  return rows.flatMap((row) => {
    const refusal = 'input' in row.parsed ? results[next++]?.error : row.parsed.refusal;
    return refusal ? [{ row, refusal }] : [];
  });
}
