-- The jobs of each sweep, with their place in it.
CREATE TABLE sweep_job (
  sweep_id INTEGER NOT NULL REFERENCES sweep (id),  -- the sweep
  job_id INTEGER NOT NULL REFERENCES job (id),      -- the job
  position INTEGER NOT NULL,       -- place in the sweep's order, from 0
  case_name TEXT NOT NULL,         -- case of the sweep file; empty without cases
  requested INTEGER NOT NULL CHECK (requested IN (0, 1)),  -- 0: included only because others need it
  axes TEXT NOT NULL CHECK (json_valid(axes)),      -- JSON object: the axes of the sweep for this job
  orphaned INTEGER NOT NULL DEFAULT 0 CHECK (orphaned IN (0, 1)),  -- 1: only an earlier version of the sweep had it
  trial INTEGER NOT NULL DEFAULT 0 CHECK (trial >= 0),  -- n: the n-th trial of a search, which chose another value; 0: no trial
  other_cases TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(other_cases)),  -- JSON list: further cases that have this same job
  PRIMARY KEY (sweep_id, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sweep_job_job ON sweep_job (job_id);
