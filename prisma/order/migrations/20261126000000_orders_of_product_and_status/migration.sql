-- A product's orders of one status, as Stock.orders(status) asks for: without it every order of the
-- product, or of the status, was looked through for a page.
CREATE INDEX CONCURRENTLY "orders_product_id_status_created_at_id_idx"
  ON "orders" ("product_id", "status", "created_at" DESC, "id" DESC);
