-- The jobs that must be finished before a job.
CREATE TABLE job_dependency (
  job_id INTEGER NOT NULL REFERENCES job (id),         -- the job that needs
  need TEXT NOT NULL,                                  -- name of the need: 'fp32_checkpoint'
  needed_job_id INTEGER NOT NULL REFERENCES job (id),  -- the job that is needed
  artifact TEXT NOT NULL,                              -- the output that it hands over: 'model'
  PRIMARY KEY (job_id, need)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_dependency_needed ON job_dependency (needed_job_id);
