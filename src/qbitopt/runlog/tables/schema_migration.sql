-- The migrations of this file.
CREATE TABLE schema_migration (
  version INTEGER PRIMARY KEY,  -- of the schema after it
  name TEXT NOT NULL,           -- what it did
  applied_at REAL NOT NULL      -- [unix seconds] when
) STRICT;
