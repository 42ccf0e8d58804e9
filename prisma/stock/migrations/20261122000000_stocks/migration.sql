CREATE TYPE "stock_change_kind" AS ENUM ('CREATED', 'ORDERED', 'ADJUSTED', 'UPDATED', 'DELETED');
CREATE TYPE "decision_status" AS ENUM ('CONFIRMED', 'REJECTED');
CREATE TYPE "rejection_reason" AS ENUM ('OUT_OF_STOCK', 'UNKNOWN_PRODUCT');

CREATE TABLE "stocks" (
  "id" TEXT PRIMARY KEY CHECK (char_length("id") BETWEEN 1 AND 100),
  "name" TEXT NOT NULL CHECK (char_length("name") BETWEEN 1 AND 255),
  "quantity" INTEGER NOT NULL CHECK ("quantity" >= 0),
  "version" INTEGER NOT NULL DEFAULT 1 CHECK ("version" >= 1),
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  "deleted_at" TIMESTAMPTZ(3),
  CHECK ("deleted_at" IS NULL OR "quantity" = 0)
);
CREATE INDEX "stocks_created_at_id_idx" ON "stocks" ("created_at" DESC, "id" DESC);

-- The ledger: one row for each version of a stock, so that the sum of its deltas is the quantity.
CREATE TABLE "movements" (
  "stock_id" TEXT NOT NULL REFERENCES "stocks" ("id"),
  "version" INTEGER NOT NULL,
  "kind" "stock_change_kind" NOT NULL,
  "delta" INTEGER NOT NULL,
  "quantity_after" INTEGER NOT NULL CHECK ("quantity_after" >= 0),
  "reason" TEXT,
  "order_id" UUID,
  "at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  PRIMARY KEY ("stock_id", "version"),
  CHECK (("kind" = 'ORDERED') = ("order_id" IS NOT NULL))
);

-- The inbox: what was decided of each order, kept for ever. Its key makes a second decision of
-- the same order impossible, whoever consumes, and however often.
CREATE TABLE "decisions" (
  "order_id" UUID PRIMARY KEY,
  "product_id" TEXT NOT NULL,
  "quantity" INTEGER NOT NULL CHECK ("quantity" BETWEEN 1 AND 1000000),
  "status" "decision_status" NOT NULL,
  "reason" "rejection_reason",
  "quantity_after" INTEGER CHECK ("quantity_after" >= 0),
  "decided_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  CHECK (("status" = 'REJECTED') = ("reason" IS NOT NULL))
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
