-- Orders that changed since a time, for the snapshot of a stream of all orders.
CREATE INDEX CONCURRENTLY "orders_changed_at_id_idx" ON "orders" ("changed_at", "id");
