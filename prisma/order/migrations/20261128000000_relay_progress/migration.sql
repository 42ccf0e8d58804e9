-- A row for each batch of the leading relay: the last offset of the change topic that was sent, and the
-- low-water mark of the outbox. Old rows are deleted. The newest row is the last one by the primary key,
-- so reading it passes no dead rows, however many an old snapshot keeps.
CREATE TABLE "relay_progress" (
  "term" BIGINT NOT NULL,
  "step" BIGINT NOT NULL,
  "sent_offset" BIGINT NOT NULL,
  "low_water_mark" BIGINT NOT NULL,
  PRIMARY KEY ("term", "step")
);

-- Whether the change topic has a record of the epoch. The previous release announces an epoch at once.
ALTER TABLE "relay" ADD COLUMN "epoch_announced" BOOLEAN NOT NULL DEFAULT true;
