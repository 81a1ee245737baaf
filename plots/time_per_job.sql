-- Seconds of every finished run.
SELECT model || ' on ' || data_name AS panel, method AS category, seconds AS x
FROM runs
WHERE state = 'finished' AND seconds IS NOT NULL
  AND (:sweep IS NULL OR runs.key IN (
    SELECT job.key
    FROM sweep
    JOIN sweep_job ON sweep_id = sweep.id
    JOIN job ON job.id = job_id
    WHERE sweep.name = :sweep AND NOT orphaned
  ))
ORDER BY panel, category, x;
