-- Bits of every layer after each reallocation of one run.
WITH run AS (
  SELECT
    runs.*,
    budget_limit AS budget,
    (SELECT count(*) FROM allocations WHERE allocations.key = runs.key) AS reallocations
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
  step AS x,
  bits AS value
FROM chosen
JOIN bits_history ON bits_history.key = chosen.key
ORDER BY kind DESC, position, step;
