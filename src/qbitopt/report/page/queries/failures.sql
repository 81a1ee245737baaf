-- Every attempt that failed, the latest first.
SELECT
  failures.key,
  failures.method,
  failures.seed,
  attempt,
  failures.error_class,
  failures.error_text,
  job_state,
  failures.ended_at,
  failures.host,
  log
FROM failures
JOIN runs ON runs.key = failures.key
WHERE :sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep)
ORDER BY failures.ended_at DESC;
