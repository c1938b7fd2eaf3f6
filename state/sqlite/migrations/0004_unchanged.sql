-- What a pull's pages brought, in 64 bits, as a signed number; 0 if that is not known.
ALTER TABLE pulls ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
-- How many records the network says that the pull has; 0 if it does not say.
ALTER TABLE pulls ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
-- 1: its rows are loaded even if they are those of the pull before.
ALTER TABLE pulls ADD COLUMN reload INTEGER NOT NULL DEFAULT 0;
-- 1: its rows are published whatever a guard says.
ALTER TABLE pulls ADD COLUMN accept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
-- When the answers that the rows were made of became raw pages.
ALTER TABLE checkpoints ADD COLUMN raw_at INTEGER NOT NULL DEFAULT -62135596800000;
-- The version counter when rows were published that may lie in windows of other pulls.
ALTER TABLE streams ADD COLUMN touched INTEGER NOT NULL DEFAULT 0;
