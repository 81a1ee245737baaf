-- Every attempt that failed or met a full disk, the latest first.
CREATE VIEW failures AS
SELECT
  job.key AS key,                     -- the job
  json_extract(job.parameters, '$.method') AS method,  -- its method
  json_extract(job.parameters, '$.seed') AS seed,      -- its seed
  job.state AS job_state,             -- current state of the job
  attempt.number AS attempt,          -- which execution
  attempt.error_class AS error_class, -- group of failures: 'budget_exceeded', 'lost', 'non_finite', ...
  attempt.error_text AS error_text,   -- message
  attempt.signal AS signal,           -- that ended the worker; NULL: none
  attempt.exit_code AS exit_code,     -- of the worker, if it ended with the attempt
  attempt.ended_at AS ended_at,       -- [unix seconds] when
  attempt.host AS host,               -- where
  attempt.slurm_id AS queue_id,       -- job of the cluster's queue that ran it; NULL: it ran without a queue
  attempt.folder || '/log.txt' AS log -- what the worker wrote; relative paths start at the database's folder
FROM attempt
JOIN job ON job.id = attempt.job_id
WHERE (attempt.state = 'failed' AND attempt.error_class IS NOT 'stopped') OR attempt.error_class = 'disk_full'
ORDER BY attempt.ended_at DESC;
