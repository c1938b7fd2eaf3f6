-- Pulls by a file that the network writes on demand.
ALTER TABLE pulls ADD COLUMN route TEXT NOT NULL DEFAULT '';
-- The spool file that holds a page's records; its body is empty then.
ALTER TABLE inbox ADD COLUMN file TEXT NOT NULL DEFAULT '';
CREATE INDEX inbox_file ON inbox (file) WHERE file <> '';
