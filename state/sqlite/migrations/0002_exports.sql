-- Pulls by a file that the network writes on demand.
ALTER TABLE pulls ADD COLUMN route TEXT NOT NULL DEFAULT '';
-- The version of the rows of a file that the pull brings, 0 for other routes: a file is
-- as old as the call that created it, not as its download.
ALTER TABLE pulls ADD COLUMN file_version INTEGER NOT NULL DEFAULT 0;
-- The spool file that holds a page's records; its body is empty then.
ALTER TABLE inbox ADD COLUMN file TEXT NOT NULL DEFAULT '';
CREATE INDEX inbox_file ON inbox (file) WHERE file <> '';
-- The page's version where it is not its seq.
ALTER TABLE inbox ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
