CREATE INDEX CONCURRENTLY "stocks_lower_name_id_idx"
  ON "stocks" ((lower("name") COLLATE "C"), "id") WHERE "deleted_at" IS NULL;
