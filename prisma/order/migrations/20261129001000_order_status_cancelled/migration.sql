-- A migration of its own: PostgreSQL allows the use of a new label only after its transaction.
ALTER TYPE "order_status" ADD VALUE IF NOT EXISTS 'CANCELLED';
