-- Times are milliseconds since 1970 in UTC; -62135596800000 is the zero time of Go,
-- so a time that is not set sorts before all that are.

-- The one counter is the version counter, which numbers the inbox as well.
CREATE TABLE counters (
  name  TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('version', 0);

CREATE TABLE pulls (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account    TEXT NOT NULL,
  stream     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  tier       INTEGER NOT NULL,
  from_ms    INTEGER NOT NULL,
  to_ms      INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  run_id     TEXT NOT NULL,
  phase      TEXT NOT NULL CHECK (phase IN ('pulling', 'pulled', 'failed')),
  cursor     TEXT NOT NULL DEFAULT '',
  pages      INTEGER NOT NULL DEFAULT 0,
  records    INTEGER NOT NULL DEFAULT 0,
  bytes      INTEGER NOT NULL DEFAULT 0,  -- of the pages, uncompressed
  stored     INTEGER NOT NULL DEFAULT 0,  -- of the pages, as they are in the inbox
  attempts   INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT -62135596800000,
  last_error TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL
) STRICT;

-- One pull a window, open or failed; for the other kinds one a stream.
CREATE UNIQUE INDEX pulls_window ON pulls (account, stream, from_ms, to_ms) WHERE kind = 'window';
CREATE UNIQUE INDEX pulls_stream ON pulls (account, stream, kind) WHERE kind <> 'window';
-- Covers the question how much the inbox holds.
CREATE INDEX pulls_inbox ON pulls (pages, stored) WHERE pages > 0;

-- The frozen list of a for-each pull, apart from its pull, which every answer rewrites.
CREATE TABLE pull_items (
  pull_id INTEGER PRIMARY KEY REFERENCES pulls (id) ON DELETE CASCADE,
  packed  INTEGER NOT NULL,  -- 1: zstd
  items   BLOB NOT NULL      -- each ends with a line feed
) STRICT;

CREATE TABLE inbox (
  seq         INTEGER PRIMARY KEY,  -- the page's version
  pull_id     INTEGER NOT NULL REFERENCES pulls (id) ON DELETE CASCADE,
  records     INTEGER NOT NULL,
  raw_bytes   INTEGER NOT NULL,
  hash        INTEGER NOT NULL,     -- 64 bits, as a signed number
  received_at INTEGER NOT NULL,
  request     TEXT NOT NULL,
  body        BLOB NOT NULL
) STRICT;
CREATE INDEX inbox_pull ON inbox (pull_id);

CREATE TABLE lanes (
  account TEXT NOT NULL PRIMARY KEY,
  base    INTEGER NOT NULL DEFAULT -62135596800000,
  stopped TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- The calls in flight; pull 0 for those outside a pull.
CREATE TABLE departures (
  account   TEXT NOT NULL,
  pull_id   INTEGER NOT NULL,
  next_call INTEGER NOT NULL,
  PRIMARY KEY (account, pull_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_calls (
  account TEXT NOT NULL,
  name    TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX quota_calls_at ON quota_calls (account, name, at);

-- For kinds other than windows, from_ms and to_ms are of the latest.
CREATE TABLE checkpoints (
  id           INTEGER PRIMARY KEY,
  account      TEXT NOT NULL,
  stream       TEXT NOT NULL,
  kind         TEXT NOT NULL,
  from_ms      INTEGER NOT NULL,
  to_ms        INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  pulled_at    INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  row_count    INTEGER NOT NULL,
  quarantined  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX checkpoints_window ON checkpoints (account, stream, from_ms, to_ms) WHERE kind = 'window';
CREATE UNIQUE INDEX checkpoints_stream ON checkpoints (account, stream, kind) WHERE kind <> 'window';
CREATE INDEX checkpoints_order ON checkpoints (account, stream, from_ms);

CREATE TABLE streams (
  account         TEXT NOT NULL,
  stream          TEXT NOT NULL,
  due             INTEGER NOT NULL DEFAULT -62135596800000,
  last_checkpoint INTEGER REFERENCES checkpoints (id),  -- the most recently published
  PRIMARY KEY (account, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE held (
  account   TEXT NOT NULL,
  stream    TEXT NOT NULL,
  from_ms   INTEGER NOT NULL,
  to_ms     INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  reason    TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  hash      INTEGER NOT NULL,
  PRIMARY KEY (account, stream, from_ms, to_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  n           INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  account     TEXT NOT NULL,
  stream      TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  calls       INTEGER NOT NULL,
  row_count   INTEGER NOT NULL,
  error       TEXT NOT NULL
) STRICT;
CREATE INDEX runs_started ON runs (started_at);

CREATE TABLE backfills (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  from_ms     INTEGER NOT NULL,
  to_ms       INTEGER NOT NULL,
  selection   TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL DEFAULT -62135596800000
) STRICT;
CREATE UNIQUE INDEX backfills_unfinished ON backfills (from_ms, to_ms, selection) WHERE finished_at = -62135596800000;

CREATE TABLE secrets (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
