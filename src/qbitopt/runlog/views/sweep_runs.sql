-- The runs of each sweep; a run of several sweeps has a row for each.
CREATE VIEW sweep_runs AS
SELECT
  sweep.name AS sweep,                 -- its name
  job.key AS key,                      -- the run
  sweep_job.position AS position,      -- place in the sweep's order, from 0
  sweep_job.case_name AS case_name,    -- case of the sweep file; empty without cases
  sweep_job.requested AS requested,    -- 0: included only because others need it
  sweep_job.trial AS trial             -- n: the n-th trial of a search, which chose another value; 0: no trial
FROM sweep
JOIN sweep_job ON sweep_job.sweep_id = sweep.id AND NOT sweep_job.orphaned
JOIN job ON job.id = sweep_job.job_id;
