-- The log of every job.
SELECT job.key, event.level, event.step, event.text
FROM job
JOIN attempt ON attempt.job_id = job.id
JOIN event ON event.attempt_id = attempt.id
WHERE :sweep IS NULL OR job.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep)
ORDER BY job.id, attempt.number, event.id;
