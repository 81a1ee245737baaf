-- One row per sweep: its progress.
CREATE VIEW progress AS
SELECT
  sweep.name AS sweep,                             -- its name
  count(*) AS jobs,                                -- all jobs, including needed ones
  sum(job.state = 'finished') AS finished,         -- finished jobs
  sum(job.state = 'running') AS running,           -- started, and their end is not recorded
  sum(job.state = 'interrupted') AS interrupted,   -- will continue from their checkpoint
  sum({state_of_job} = 'failed') AS failed,  -- `qbitopt retry --failed` runs them again
  sum({state_of_job} = 'stopped') AS stopped,  -- stopped early by the sweep's `stop`
  sum(job.state = 'new') AS new,                   -- not started
  round(100.0 * sum(job.state = 'finished') / count(*), 1) AS percent,  -- [percent] finished
  sum(attempt.seconds) / 3600 AS hours,            -- [hours] total of the finished jobs
  avg(attempt.seconds) AS seconds_per_job,         -- [seconds] average of the finished jobs
  avg(attempt.seconds) * sum(job.state NOT IN ('finished', 'failed')) / 3600 AS hours_left,  -- [hours] total of the other jobs at that average
  min(attempt.started_at) AS started_at,           -- [unix seconds] first event
  max(attempt.ended_at) AS ended_at,               -- [unix seconds] last end
  (SELECT text FROM note WHERE note.sweep_id = sweep.id) AS note,  -- what a person has noted
  (SELECT group_concat(name, ' ') FROM (SELECT name FROM tag WHERE tag.sweep_id = sweep.id ORDER BY name)) AS tags  -- its tags
FROM sweep
JOIN sweep_job ON sweep_job.sweep_id = sweep.id AND NOT sweep_job.orphaned
JOIN job ON job.id = sweep_job.job_id
LEFT JOIN attempt ON attempt.id = job.attempt_id
GROUP BY sweep.id;
