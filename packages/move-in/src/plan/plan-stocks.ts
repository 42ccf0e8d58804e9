import { STOCK_QUANTITY } from '@gudang/events';
import { characters, isStorableText } from '@gudang/messages';
import type { LegacyStock } from '../legacy/legacy-rows.ts';
import type { Problem } from './problem.ts';

const ID_LENGTH = 100;
const NAME_LENGTH = 255;

/** A stock to move. */
export interface PlannedStock {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  /** The reason of its ledger entry, which says where the quantity comes from. */
  readonly reason: string;
}

/** The beginning of the reasons of the ledger entries of moved stocks. */
export const MOVED_IN = 'moved in';

/** Plans the stocks. A value outside its limits becomes the nearest allowed one, and is reported. */
export function planStocks(rows: readonly LegacyStock[]): {
  readonly stocks: readonly PlannedStock[];
  readonly problems: readonly Problem[];
} {
  const stocks: PlannedStock[] = [];
  const problems: Problem[] = [];
  for (const row of rows) {
    const report = (kind: Problem['kind'], message: string): void => {
      problems.push({ kind, subject: `stock ${row.id}`, message });
    };
    if (!isProductId(row.id)) {
      report('bad id', `its id must have 1 to ${ID_LENGTH} characters; it is not moved`);
      continue;
    }
    const quantity = nearestQuantity(row.quantity);
    if (String(quantity) !== row.quantity) {
      report('bad quantity', `its quantity ${row.quantity} becomes ${quantity}`);
    }
    const name = nearestName(row);
    if (name !== row.name) report('bad name', `its name becomes ${JSON.stringify(name)}`);
    const reason =
      String(quantity) === row.quantity
        ? MOVED_IN
        : `${MOVED_IN}; the quantity was ${row.quantity?.slice(0, 100) ?? 'null'}`;
    stocks.push({ id: row.id, name, quantity, reason });
  }
  return { stocks, problems };
}

export function isProductId(id: string): boolean {
  return id !== '' && characters(id) <= ID_LENGTH && isStorableText(id);
}

function nearestQuantity(text: string | null): number {
  const number = Math.floor(Number(text));
  if (Number.isNaN(number)) return 0;
  return Math.min(Math.max(number, STOCK_QUANTITY.min), STOCK_QUANTITY.max);
}

/** A stock without a name gets its id as its name. */
function nearestName({ id, name }: LegacyStock): string {
  if (!name) return id;
  return characters(name) <= NAME_LENGTH ? name : [...name].slice(0, NAME_LENGTH).join('');
}
