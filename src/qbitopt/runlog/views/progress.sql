-- One row per sweep: how far it is.
CREATE VIEW progress AS
SELECT
  sweep.name AS sweep,                             -- its name
  count(*) AS jobs,                                -- all of them, needed ones included
  sum(job.state = 'finished') AS finished,         -- good ends
  sum(job.state = 'running') AS running,           -- begun, their end not recorded
  sum(job.state = 'interrupted') AS interrupted,   -- will go on from their checkpoint
  sum(job.state = 'failed') AS failed,             -- `qbitopt retry --failed` runs them again
  sum(job.state = 'new') AS new,                   -- not begun
  round(100.0 * sum(job.state = 'finished') / count(*), 1) AS percent,  -- [percent] finished
  sum(attempt.seconds) / 3600 AS hours,            -- [hours] of the finished jobs, one after another
  avg(attempt.seconds) AS seconds_per_job,         -- [seconds] average of the finished jobs
  avg(attempt.seconds) * sum(job.state NOT IN ('finished', 'failed')) / 3600 AS hours_left,  -- [hours] of the others at that average, one after another
  min(attempt.started_at) AS started_at,           -- [unix seconds] first event
  max(attempt.ended_at) AS ended_at                -- [unix seconds] last end
FROM sweep
JOIN sweep_job ON sweep_job.sweep_id = sweep.id AND NOT sweep_job.orphaned
JOIN job ON job.id = sweep_job.job_id
LEFT JOIN attempt ON attempt.id = job.attempt_id
GROUP BY sweep.id;
