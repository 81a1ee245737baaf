-- Does the predicted rise of the loss tell the measured one? The last allocation's objective beside the test loss
-- less that of fp32_continued at the same seed. Methods whose costs are made up are left out.
WITH last AS (
  SELECT
    key,
    objective,
    gap,
    max(step) AS step
  FROM allocations
  WHERE objective IS NOT NULL
    AND solver <> ''
    AND method NOT LIKE 'random%'
  GROUP BY key
)
SELECT
  runs.job,
  runs.model,
  runs.method,
  runs.budget_average_bits AS bits,
  runs.seed,
  last.objective AS predicted_rise,
  runs.loss - reference.loss AS measured_rise,
  last.gap AS gap_to_bound
FROM last
JOIN runs ON runs.key = last.key
LEFT JOIN runs AS reference
  ON reference.method = 'fp32_continued'
  AND reference.model = runs.model
  AND reference.data_name = runs.data_name
  AND reference.seed = runs.seed
  AND reference.state = 'finished'
WHERE runs.state = 'finished'
ORDER BY runs.model, runs.method, CAST(runs.budget_average_bits AS REAL) DESC, runs.seed;
