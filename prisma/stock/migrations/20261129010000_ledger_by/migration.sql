-- The subject that made a change by a mutation. NULL in the entries of orders, in those of the previous
-- release, and if authentication is disabled.
ALTER TABLE "movements" ADD COLUMN "by" TEXT;
