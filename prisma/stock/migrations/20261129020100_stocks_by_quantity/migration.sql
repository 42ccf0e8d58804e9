-- The stocks of a level. Level 0 contains only the quantity 0, so its entries are in the order of the list.
CREATE INDEX CONCURRENTLY "stocks_quantity_level_id_idx"
  ON "stocks" ("quantity_level", "id") WHERE "deleted_at" IS NULL;
