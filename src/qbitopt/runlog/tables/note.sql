-- What a person has noted about a job or a sweep (`qbitopt note`).
CREATE TABLE note (
  id INTEGER PRIMARY KEY,        -- internal number
  job_id INTEGER UNIQUE REFERENCES job (id),      -- the job; NULL: it is about a sweep
  sweep_id INTEGER UNIQUE REFERENCES sweep (id),  -- the sweep; NULL: it is about a job
  text TEXT NOT NULL CHECK (length(text) > 0),    -- the note
  written_at REAL NOT NULL,      -- [unix seconds] when
  CHECK ((job_id IS NULL) <> (sweep_id IS NULL))
) STRICT;
