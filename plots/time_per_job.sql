-- Seconds of every finished run.
SELECT model || ' on ' || data_name AS panel, method AS category, seconds AS x
FROM runs
WHERE state = 'finished' AND seconds IS NOT NULL
  AND (:sweep IS NULL OR instr(' ' || sweeps || ' ', ' ' || :sweep || ' ') > 0)
ORDER BY panel, category, x;
