-- By which mapping the rows of a window were made; empty if that is not known.
ALTER TABLE checkpoints ADD COLUMN mapping TEXT NOT NULL DEFAULT '';
