-- Whoever shows a token sees their own orders: all of them, and those of a product. Orders that
-- belong to nobody, as all do where nobody is told apart, are in neither and cost nothing.
CREATE INDEX "orders_owner_created_at_id_idx"
  ON "orders" ("owner", "created_at" DESC, "id" DESC) WHERE "owner" <> '';
CREATE INDEX "orders_owner_product_id_created_at_id_idx"
  ON "orders" ("owner", "product_id", "created_at" DESC, "id" DESC) WHERE "owner" <> '';
