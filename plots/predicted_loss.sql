-- Rise of the loss that the last allocation of each run predicted, if it is in nats, and the rise that was measured
-- against fp32_continued: same checkpoint, and no parameter that both have differs.
WITH run AS MATERIALIZED (
  SELECT key, method, model, data_name, loss, counts, checkpoint
  FROM runs
  WHERE state = 'finished' AND is_trial IS NOT 1 AND loss IS NOT NULL
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
),
last_allocation AS (
  SELECT key, objective, max(step)
  FROM allocations
  WHERE objective > 0 AND cost_unit = 'nats'
  GROUP BY key
)
SELECT
  run.model || ' on ' || run.data_name AS panel,
  run.method AS series,
  substr(run.key, 1, 10) AS run,
  last_allocation.objective AS x,
  run.loss - avg(reference.loss) AS y,
  NOT run.counts AS missed
FROM run
JOIN last_allocation ON last_allocation.key = run.key
JOIN run AS reference
  ON reference.method = 'fp32_continued'
  AND reference.counts
  AND reference.checkpoint IS run.checkpoint
  AND NOT EXISTS (
    SELECT 1
    FROM parameters AS a
    JOIN parameters AS b ON b.key = reference.key AND b.name = a.name AND b.value <> a.value
    WHERE a.key = run.key AND a.name NOT IN ('method', 'seed')
  )
GROUP BY run.key
ORDER BY panel, series, x;
