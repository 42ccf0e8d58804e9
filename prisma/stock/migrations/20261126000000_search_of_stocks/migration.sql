-- A search finds a part of a name or of an id by its groups of three letters, where it read every
-- stock before. The extension comes with PostgreSQL, and whoever owns the database may add it; where
-- it was left out of the installation, or may not be added, a search goes on reading every stock.
-- Not CONCURRENTLY, which no block can hold: 100,000 stocks take a second.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX "stocks_search_idx" ON "stocks" USING gin ("name" gin_trgm_ops, "id" gin_trgm_ops);
EXCEPTION WHEN feature_not_supported OR undefined_file OR insufficient_privilege THEN
  RAISE NOTICE 'No index for searches of stocks: %', SQLERRM;
END $$;
