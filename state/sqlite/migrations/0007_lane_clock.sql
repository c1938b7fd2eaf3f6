-- When a call last left or ended, by the clock of then. A lane waits until base, which is
-- later; this says how far a clock was ahead when it was set.
ALTER TABLE lanes ADD COLUMN at INTEGER NOT NULL DEFAULT -62135596800000;
