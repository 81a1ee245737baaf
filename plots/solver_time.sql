-- Microseconds of every allocation that a solver made.
SELECT runs.model AS panel, allocations.solver AS category, solve_microseconds AS x
FROM allocations
JOIN runs ON runs.key = allocations.key
WHERE allocations.solver <> '' AND solve_microseconds > 0
  AND (:sweep IS NULL OR runs.key IN (
    SELECT job.key
    FROM sweep
    JOIN sweep_job ON sweep_id = sweep.id
    JOIN job ON job.id = job_id
    WHERE sweep.name = :sweep AND NOT orphaned
  ))
ORDER BY panel, category, x;
