-- What is known of leads. An id that is not known is empty.
CREATE TABLE leads (
  id         INTEGER PRIMARY KEY,  -- of two leads, the younger has the greater
  account    TEXT NOT NULL,
  network_id TEXT NOT NULL,
  own_id     TEXT NOT NULL,
  fields     TEXT NOT NULL,        -- JSON object of texts; the ids are among them
  fallback   TEXT NOT NULL,        -- likewise
  first_seen INTEGER NOT NULL,
  status_at  INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  next_poll  INTEGER NOT NULL,
  polls      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX leads_network ON leads (account, network_id) WHERE network_id <> '';
CREATE INDEX leads_own ON leads (account, own_id) WHERE own_id <> '';
-- The open ones; covers the question which are due, and how many.
CREATE INDEX leads_poll ON leads (account, next_poll, network_id, own_id) WHERE next_poll > -62135596800000;

-- How many leads an account has: counting them would read them all.
CREATE TABLE lead_counts (
  account TEXT NOT NULL PRIMARY KEY,
  known   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Changes of leads that are decided and not yet in the tables above.
CREATE TABLE lead_changes (
  version INTEGER PRIMARY KEY,     -- of the page that told of them; another where there was none
  account TEXT NOT NULL,
  done    INTEGER NOT NULL,        -- how many of them are in the tables
  changes BLOB NOT NULL
) STRICT;

-- Rows of leads that a page had which was dropped: the account's next page has them.
CREATE TABLE lead_rows_owed (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  leads   BLOB NOT NULL            -- as in the inbox
) STRICT;
CREATE INDEX lead_rows_owed_account ON lead_rows_owed (account);

-- Postbacks that wait to be brought, in blocks of those that came at the same time.
CREATE TABLE postbacks (
  last        INTEGER PRIMARY KEY, -- seq of the block's last; those before count down from it
  account     TEXT NOT NULL,
  waiting     INTEGER NOT NULL,    -- how many of its last ones were not brought yet
  received_at INTEGER NOT NULL,    -- of the first of these
  block       BLOB NOT NULL
) STRICT;
CREATE INDEX postbacks_account ON postbacks (account, last, waiting, received_at);

-- The rows of the leads that a page told of; empty if it told of none.
ALTER TABLE inbox ADD COLUMN leads BLOB NOT NULL DEFAULT x'';
-- 1 for pulls that hold postbacks: nobody can be asked for them again.
ALTER TABLE pulls ADD COLUMN brought INTEGER NOT NULL DEFAULT 0;
