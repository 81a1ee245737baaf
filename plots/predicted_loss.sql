-- Rise of the loss that the last allocation of each run predicted, and the rise that was measured. The costs of random
-- methods predict nothing.
WITH run AS (
  SELECT *
  FROM runs
  WHERE state = 'finished' AND loss IS NOT NULL
    AND (:sweep IS NULL OR instr(' ' || sweeps || ' ', ' ' || :sweep || ' ') > 0)
),
reference AS (
  SELECT model, data_name, avg(loss) AS loss
  FROM run
  WHERE method = 'fp32_continued'
  GROUP BY model, data_name
),
last_allocation AS (
  SELECT key, objective, max(step)
  FROM allocations
  WHERE objective > 0
  GROUP BY key
)
SELECT
  run.model || ' on ' || run.data_name AS panel,
  run.method AS series,
  last_allocation.objective AS x,
  run.loss - reference.loss AS y,
  run.budget_met IS 0 AS missed
FROM run
JOIN reference ON reference.model = run.model AND reference.data_name = run.data_name
JOIN last_allocation ON last_allocation.key = run.key
WHERE run.method NOT IN ('random_allocation', 'random_reallocation')
ORDER BY panel, series, x;
