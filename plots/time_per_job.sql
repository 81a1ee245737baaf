-- Seconds of every finished run.
SELECT model || ' on ' || data_name AS panel, method AS series, substr(key, 1, 10) AS run, 's' AS unit, seconds AS x, NULL AS zero
FROM runs
WHERE state = 'finished' AND seconds IS NOT NULL
  AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
ORDER BY panel, series, x;
