-- The tables that were written, with the runs in them.
CREATE TABLE rendered_table (
  id INTEGER PRIMARY KEY,         -- internal number
  name TEXT NOT NULL,             -- of the definition
  rendered_at REAL NOT NULL,      -- [unix seconds] when
  definition TEXT NOT NULL,       -- the definition, verbatim
  format TEXT NOT NULL,           -- 'markdown', 'csv', ...
  jobs TEXT NOT NULL CHECK (json_valid(jobs)),  -- JSON list of the keys of the runs in it
  sha256 TEXT NOT NULL            -- hash of the written text
) STRICT;
