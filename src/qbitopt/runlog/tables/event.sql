-- The events that attempts reported, without points of curves. Rows are only added.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,      -- internal number, ascending with time
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- the attempt
  number INTEGER NOT NULL,     -- of the event in the attempt; 0: by the driver
  unix_seconds REAL NOT NULL,  -- [unix seconds] when
  type TEXT NOT NULL,          -- 'note', 'non_finite', 'started', 'interrupted', 'finished', 'failed', 'missing'
  level TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),  -- info, warning or error
  step INTEGER,                -- [optimizer steps] if it belongs to one
  text TEXT NOT NULL           -- message
) STRICT;
CREATE INDEX event_attempt ON event (attempt_id);
