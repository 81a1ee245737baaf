-- The tags of jobs and sweeps (`qbitopt note --tag`).
CREATE TABLE tag (
  id INTEGER PRIMARY KEY,        -- internal number
  job_id INTEGER REFERENCES job (id),      -- the job; NULL: a tag of a sweep
  sweep_id INTEGER REFERENCES sweep (id),  -- the sweep; NULL: a tag of a job
  name TEXT NOT NULL CHECK (length(name) > 0),  -- the tag
  UNIQUE (job_id, name),
  UNIQUE (sweep_id, name),
  CHECK ((job_id IS NULL) <> (sweep_id IS NULL))
) STRICT;
