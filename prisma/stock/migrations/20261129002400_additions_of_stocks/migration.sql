-- The version at which a stock was last added. Nothing is returned to a stock that was added after the
-- order took its quantity. A stock may have millions of other entries since.
CREATE INDEX CONCURRENTLY "movements_created_idx"
  ON "movements" ("stock_id", "version") WHERE "kind" = 'CREATED';
