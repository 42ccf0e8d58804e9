-- An owner's orders that changed since a time, for the snapshot of a stream of the owner's orders. Orders
-- without an owner are not in the index, as in the other indexes by owner.
CREATE INDEX CONCURRENTLY "orders_owner_changed_at_id_idx"
  ON "orders" ("owner", "changed_at", "id") WHERE "owner" <> '';
