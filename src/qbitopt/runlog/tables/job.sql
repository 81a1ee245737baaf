-- A training run, by the hash of everything that affects its result. Shared by all sweeps that contain it.
CREATE TABLE job (
  id INTEGER PRIMARY KEY,            -- internal number
  key TEXT NOT NULL UNIQUE CHECK (length(key) > 0),  -- identity: sha256, 64 hexadecimal digits
  config_key TEXT NOT NULL,          -- the same without seeds: replicates share it
  parameters TEXT NOT NULL CHECK (json_valid(parameters)),  -- JSON object, dotted name -> value
  versions TEXT NOT NULL CHECK (json_valid(versions)),      -- JSON object, part -> manifest version
  guarantees_budget INTEGER NOT NULL CHECK (guarantees_budget IN (0, 1)),  -- 1: above its budget it fails
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'running', 'interrupted', 'finished', 'failed')),  -- new, running, interrupted, finished or failed
  attempt_id INTEGER REFERENCES attempt (id),  -- the attempt that counts: the last one that finished, else the last one
  recorded_at REAL NOT NULL          -- [unix seconds] when a sweep first named it
) STRICT;
CREATE INDEX job_config ON job (config_key);
CREATE INDEX job_state ON job (state);
