-- Bits of every run from each reallocation on, as digits of base 36.
SELECT
  key,
  step,
  group_concat(substr('0123456789abcdefghijklmnopqrstuvwxyz', bits + 1, 1), '') AS digits
FROM (
  SELECT bits_history.*
  FROM runs
  JOIN bits_history ON bits_history.key = runs.key
  WHERE :sweep IS NULL OR runs.key IN (
    SELECT job.key
    FROM sweep
    JOIN sweep_job ON sweep_id = sweep.id
    JOIN job ON job.id = job_id
    WHERE sweep.name = :sweep AND NOT orphaned
  )
  ORDER BY bits_history.key, step, position
)
GROUP BY key, step
ORDER BY key, step;
