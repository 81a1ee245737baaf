-- Expected damage of 4 bits at every layer, at each reallocation of one run.
WITH run AS (
  SELECT
    runs.*,
    budget_limit AS budget,
    (SELECT count(DISTINCT step) FROM sensitivities WHERE sensitivities.key = runs.key) AS reallocations
  FROM runs
  WHERE counts
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
),
chosen AS (
  SELECT *
  FROM run
  WHERE reallocations > 1
  ORDER BY method = 'qbitopt' DESC, reallocations DESC, budget, seed
  LIMIT 1
)
SELECT
  CASE kind WHEN 'weight' THEN 'Weights' ELSE 'Activations' END
    || format(' (%s, %s, budget %.12g %s, seed %s)', chosen.method, chosen.model, chosen.budget, chosen.budget_unit, chosen.seed) AS panel,
  substr(chosen.key, 1, 10) AS run,
  replace(replace(quantizer, '.weight', ''), '.input', '') AS y,
  sensitivities.step AS x,
  sensitivities.value AS value
FROM chosen
JOIN sensitivities ON sensitivities.key = chosen.key AND sensitivities.bits = 4
ORDER BY kind DESC, position, step;
