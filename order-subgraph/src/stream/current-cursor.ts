import { type Cursor, formatCursor } from '@gudang/change-feed';
import type { Database } from '../database.ts';

/**
 * Formats the cursor of a position. A feed that has not read anything yet, because Kafka is unavailable, knows
 * no time. The cursor then carries the time of the database, so that a stream can later send the orders that
 * changed since.
 */
export async function currentCursor(
  database: Pick<Database, '$queryRaw'>,
  position: Cursor,
): Promise<string> {
  if (position.at > 0) return formatCursor(position);
  const [row] = await database.$queryRaw<{ now: Date }[]>`SELECT now() AS now`;
  return formatCursor({ ...position, offset: null, at: row?.now.getTime() ?? 0 });
}
