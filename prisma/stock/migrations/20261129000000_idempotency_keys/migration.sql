-- The idempotency keys of mutations, each with its first result. A key is inserted before the change, in
-- the change's transaction, and deleted after IDEMPOTENCY_DAYS. "result" is NULL only in that transaction.
CREATE TABLE "idempotency_keys" (
  "principal" TEXT NOT NULL,
  "mutation" TEXT NOT NULL,
  "key" TEXT NOT NULL CHECK (char_length("key") BETWEEN 1 AND 100),
  -- SHA-256 of the input.
  "input" BYTEA NOT NULL CHECK (octet_length("input") = 32),
  "result" JSON,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  PRIMARY KEY ("principal", "mutation", "key")
);
-- For the purge of expired keys.
CREATE INDEX "idempotency_keys_created_at_idx" ON "idempotency_keys" ("created_at");
