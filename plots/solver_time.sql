-- Microseconds of every allocation that a solver made.
SELECT runs.model AS panel, allocations.solver AS series, substr(runs.key, 1, 10) AS run, 'µs' AS unit, solve_microseconds AS x, NULL AS zero
FROM allocations
JOIN runs ON runs.key = allocations.key
WHERE allocations.solver <> '' AND solve_microseconds > 0
  AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
ORDER BY panel, series, x;
