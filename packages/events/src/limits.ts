/** The limits of the contract; what is outside them is refused at the door and dead-lettered. */
export const ORDER_QUANTITY = { min: 1, max: 1_000_000 } as const;
export const STOCK_QUANTITY = { min: 0, max: 2_147_483_647 } as const;
export const PRODUCT_ID_LENGTH = { min: 1, max: 100 } as const;

/** PostgreSQL's text takes neither NUL nor half a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Characters as PostgreSQL counts them: code points. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
