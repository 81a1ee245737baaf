-- One execution of a job. All are kept.
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,        -- internal number
  job_id INTEGER NOT NULL REFERENCES job (id),  -- what is executed
  number INTEGER NOT NULL CHECK (number >= 1),  -- 1 for a job's first execution
  state TEXT NOT NULL CHECK (state IN ('running', 'interrupted', 'finished', 'failed')),  -- running, interrupted, finished or failed
  folder TEXT NOT NULL,          -- absolute path of its files; relative ones start at the database's folder
  begun_at REAL NOT NULL,        -- [unix seconds] when the driver recorded it
  started_at REAL,               -- [unix seconds] first event
  ended_at REAL,                 -- [unix seconds] last event, or when the driver saw it end
  last_event INTEGER NOT NULL DEFAULT 0,        -- events up to this number are stored
  host TEXT,                     -- name of the machine
  pid INTEGER,                   -- process of the worker
  slurm_id TEXT,                 -- job of the cluster, if there is one
  device TEXT,                   -- 'cpu', 'cuda:0'
  threads INTEGER,               -- [threads] of this job
  environment_id INTEGER REFERENCES environment (id),  -- hardware and software
  inventory_id INTEGER REFERENCES inventory (id),      -- its quantizers
  resumed_from INTEGER REFERENCES attempt (id),        -- the attempt whose checkpoint it went on from
  resumed_from_step INTEGER,     -- [optimizer steps] of that checkpoint
  steps INTEGER,                 -- [optimizer steps] of the whole job, all its attempts together
  seconds REAL,                  -- [seconds] of the whole job, all its attempts together
  train_seconds REAL,            -- [seconds] of them spent in training steps
  reallocation_seconds REAL,     -- [seconds] of them spent choosing bits again, without the first choice
  peak_memory_bytes INTEGER,     -- [bytes] largest resident memory
  weight_bytes INTEGER,          -- [bytes] all quantized weights at their final bits
  budget_met INTEGER CHECK (budget_met IN (0, 1)),     -- 1: the final bits meet every budget
  exit_code INTEGER,             -- of the worker, if it ended with the attempt
  signal INTEGER,                -- signal that ended the worker
  error_class TEXT,              -- why it failed or was interrupted: 'budget_exceeded', 'lost', 'disk_full', ...
  error_text TEXT,               -- what the failure says
  heard_at REAL,                 -- [unix seconds] latest event that was stored: the heartbeat of a running attempt
  UNIQUE (job_id, number)
) STRICT;
CREATE INDEX attempt_state ON attempt (state);
