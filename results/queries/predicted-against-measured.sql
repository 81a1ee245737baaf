-- Does the predicted rise of the loss tell the measured one? The last allocation's objective, if it is in nats, beside
-- the test loss less that of fp32_continued: same seed and checkpoint, and no parameter that both have differs.
WITH last AS (
  SELECT
    key,
    objective,
    gap,
    max(step) AS step
  FROM allocations
  WHERE objective IS NOT NULL
    AND cost_unit = 'nats'
  GROUP BY key
),
run AS MATERIALIZED (
  SELECT *
  FROM runs
  WHERE counts
)
SELECT
  run.job,
  run.model,
  run.method,
  run.budget_average_bits AS bits,
  run.seed,
  last.objective AS predicted_rise,
  run.loss - avg(reference.loss) AS measured_rise,
  last.gap AS gap_to_bound
FROM last
JOIN run ON run.key = last.key
LEFT JOIN run AS reference
  ON reference.method = 'fp32_continued'
  AND reference.seed = run.seed
  AND reference.checkpoint IS run.checkpoint
  AND NOT EXISTS (
    SELECT 1
    FROM parameters AS a
    JOIN parameters AS b ON b.key = reference.key AND b.name = a.name AND b.value <> a.value
    WHERE a.key = run.key AND a.name <> 'method'
  )
GROUP BY run.key
ORDER BY run.model, run.method, CAST(run.budget_average_bits AS REAL) DESC, run.seed;
