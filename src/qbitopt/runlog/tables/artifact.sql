-- A file that an attempt left.
CREATE TABLE artifact (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose file it is
  name TEXT NOT NULL,          -- 'model', 'allocation'
  path TEXT NOT NULL,          -- relative to the attempt's folder
  sha256 TEXT NOT NULL,        -- of its content
  bytes INTEGER NOT NULL,      -- [bytes] its size
  PRIMARY KEY (attempt_id, name)
) STRICT, WITHOUT ROWID;
