-- A sweep by its name, as it was last recorded.
CREATE TABLE sweep (
  id INTEGER PRIMARY KEY,      -- internal number
  name TEXT NOT NULL UNIQUE,   -- the sweep file's `name`
  file TEXT NOT NULL,          -- path of the sweep file
  metric TEXT NOT NULL,        -- name of the sweep's metric
  goal TEXT NOT NULL CHECK (goal IN ('max', 'min')),        -- whether larger or smaller is better
  rule TEXT NOT NULL CHECK (rule IN ('last', 'best'))       -- which value of a run counts
) STRICT;
