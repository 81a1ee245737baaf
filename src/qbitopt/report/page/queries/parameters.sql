-- The parameters of every job.
SELECT key, parameters
FROM job
WHERE :sweep IS NULL OR key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep);
