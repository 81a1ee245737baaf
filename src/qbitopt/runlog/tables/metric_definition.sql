-- The numbers that runs report, by name.
CREATE TABLE metric_definition (
  id INTEGER PRIMARY KEY,     -- internal number
  name TEXT NOT NULL UNIQUE,  -- 'top1', 'loss'
  unit TEXT NOT NULL,         -- of the values; empty: none
  goal TEXT CHECK (goal IN ('max', 'min')),  -- which is better; NULL: neither
  description TEXT NOT NULL,  -- meaning
  is_result INTEGER NOT NULL CHECK (is_result IN (0, 1))  -- 1: a final number, and so a column of `runs`
) STRICT;
