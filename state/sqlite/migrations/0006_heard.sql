-- When an answer or a postback first told of the lead; the zero time if something else did,
-- or if that is not known.
ALTER TABLE leads ADD COLUMN heard INTEGER NOT NULL DEFAULT -62135596800000;
