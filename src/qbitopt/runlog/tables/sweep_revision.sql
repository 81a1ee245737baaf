-- Every version of a sweep that was run: a new row when its text, files, overrides or environment changed.
CREATE TABLE sweep_revision (
  id INTEGER PRIMARY KEY,         -- internal number, ascending with time
  sweep_id INTEGER NOT NULL REFERENCES sweep (id),  -- the sweep
  recorded_at REAL NOT NULL,      -- [unix seconds] when it was first run
  text TEXT NOT NULL,             -- the sweep file, verbatim
  included TEXT NOT NULL,         -- JSON list of [path, sha256] of every file it extends
  overrides TEXT NOT NULL,        -- JSON list of overrides on the command line
  argv TEXT NOT NULL,             -- JSON list, the command line
  environment TEXT NOT NULL       -- JSON object: host, user's settings and versions of the driver
) STRICT;
CREATE INDEX sweep_revision_sweep ON sweep_revision (sweep_id);
