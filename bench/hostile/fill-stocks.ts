import type { System } from '@gudang/testing/system/system';

const STOCKS = 100;
const MOVEMENTS = 100;
/** Maximum length of a name and of a reason, in characters. */
const LONGEST = 255;

/**
 * Fills the stock database so that answers are as long as possible: stocks with the longest names,
 * each with ledger entries with the longest reasons.
 * @returns the ids of the stocks
 */
export async function fillStocks({ databases }: System): Promise<string[]> {
  await databases.stock(
    `INSERT INTO stocks (id, name, quantity, version)
     SELECT 'hostile-' || number, repeat('n', ${LONGEST}), 1000000, ${MOVEMENTS}
     FROM generate_series(1, ${STOCKS}) AS number`,
  );
  await databases.stock(
    `INSERT INTO movements (stock_id, version, kind, delta, quantity_after, reason)
     SELECT 'hostile-' || number, version, 'ADJUSTED', 1, 1000000, repeat('r', ${LONGEST})
     FROM generate_series(1, ${STOCKS}) AS number, generate_series(1, ${MOVEMENTS}) AS version`,
  );
  return Array.from({ length: STOCKS }, (_, index) => `hostile-${index + 1}`);
}
