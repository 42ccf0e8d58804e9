CREATE TYPE "order_status" AS ENUM ('PENDING', 'CONFIRMED', 'REJECTED');
CREATE TYPE "rejection_reason" AS ENUM ('OUT_OF_STOCK', 'UNKNOWN_PRODUCT');

CREATE TABLE "orders" (
  "id" UUID PRIMARY KEY,
  "owner" TEXT NOT NULL DEFAULT '',
  "idempotency_key" TEXT CHECK (char_length("idempotency_key") BETWEEN 1 AND 100),
  "product_id" TEXT NOT NULL CHECK (char_length("product_id") BETWEEN 1 AND 100),
  "quantity" INTEGER NOT NULL CHECK ("quantity" BETWEEN 1 AND 1000000),
  "status" "order_status" NOT NULL DEFAULT 'PENDING',
  "rejection_reason" "rejection_reason",
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  "decided_at" TIMESTAMPTZ(3),
  CHECK (("status" = 'REJECTED') = ("rejection_reason" IS NOT NULL)),
  CHECK (("status" = 'PENDING') = ("decided_at" IS NULL))
);

CREATE INDEX "orders_created_at_id_idx" ON "orders" ("created_at" DESC, "id" DESC);
CREATE INDEX "orders_status_created_at_id_idx"
  ON "orders" ("status", "created_at" DESC, "id" DESC);
CREATE INDEX "orders_product_id_created_at_id_idx"
  ON "orders" ("product_id", "created_at" DESC, "id" DESC);
CREATE UNIQUE INDEX "orders_owner_idempotency_key_key"
  ON "orders" ("owner", "idempotency_key") WHERE "idempotency_key" IS NOT NULL;

-- A final status stays, whoever writes: the last line of defence for "exactly one final status".
CREATE FUNCTION "keep_final_status"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'order % is already %', OLD.id, OLD.status USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER "orders_keep_final_status" BEFORE UPDATE OF "status" ON "orders"
  FOR EACH ROW WHEN (OLD."status" <> 'PENDING' AND NEW."status" <> OLD."status")
  EXECUTE FUNCTION "keep_final_status"();

-- How often an order that stays PENDING was published again, and when that may next happen.
CREATE TABLE "reconciliations" (
  "order_id" UUID PRIMARY KEY REFERENCES "orders" ("id") ON DELETE CASCADE,
  "attempts" INTEGER NOT NULL DEFAULT 1,
  "next_at" TIMESTAMPTZ(3) NOT NULL
);

-- Events written in the transaction of the state that they tell of; the relay sends and deletes
-- them. Ids order the events of one key, because whoever writes them holds that key's row lock.
CREATE TABLE "outbox" (
  "id" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "topic" TEXT NOT NULL,
  "key" BYTEA,
  "value" BYTEA,
  "version" INTEGER,
  "headers" JSONB,
  "traceparent" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now()
);

-- Events that the broker will never take (too large), set aside so that they block no others.
CREATE TABLE "outbox_rejected" (
  "id" BIGINT PRIMARY KEY,
  "topic" TEXT NOT NULL,
  "key" BYTEA,
  "value" BYTEA,
  "version" INTEGER,
  "headers" JSONB,
  "traceparent" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "reason" TEXT NOT NULL,
  "rejected_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now()
);

-- One row: the term grows with each relay that takes over; the epoch changes when the change
-- topic is new or this database was restored; sent_offset is the last one known to be there.
CREATE TABLE "relay" (
  "only" BOOLEAN PRIMARY KEY DEFAULT true CHECK ("only"),
  "term" BIGINT NOT NULL DEFAULT 0,
  "epoch" UUID NOT NULL DEFAULT gen_random_uuid(),
  "sent_offset" BIGINT NOT NULL DEFAULT -1
);
INSERT INTO "relay" DEFAULT VALUES;
