/** Words of the shop that this repository also contains, which the gateway must not know. */
export const SHOP_WORDS =
  /\bstocks?\b|stockC|orders?Changed|orderCursor|(?:create|cancel)Order|addStock|order[-_](?:subgraph|db|created|decided|cancelled)|\bkopi\b|berhasil|order=http/i;
