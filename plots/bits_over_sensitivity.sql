-- Final bits of every tensor whose bits were chosen, beside its cost at the fewest bits in the last allocation.
WITH run AS MATERIALIZED (
  SELECT key, config_key, method, model, data_name, budget_limit AS budget, budget_unit
  FROM runs
  WHERE counts AND budget_limit IS NOT NULL
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
),
last AS MATERIALIZED (
  SELECT run.*, max(step) AS step
  FROM run
  JOIN allocations ON allocations.key = run.key
  WHERE allocations.solver <> ''
  GROUP BY run.key
),
-- The model and data with the most runs, at the tightest of the budgets that most of its methods share.
focus AS (
  SELECT model, data_name, budget, budget_unit
  FROM last
  GROUP BY model, data_name, budget, budget_unit
  ORDER BY count(DISTINCT method) DESC, budget, count(*) DESC
  LIMIT 1
),
cost AS MATERIALIZED (
  SELECT
    last.key,
    last.config_key,
    last.method,
    sensitivities.sensitivity,
    sensitivities.unit,
    sensitivities.kind,
    sensitivities.quantizer,
    min(sensitivities.bits),  -- the other columns are those of its row
    sensitivities.value
  FROM last
  JOIN focus USING (model, data_name, budget, budget_unit)
  JOIN sensitivities ON sensitivities.key = last.key AND sensitivities.step = last.step
  GROUP BY last.key, sensitivities.quantizer
)
SELECT
  CASE cost.kind WHEN 'weight' THEN 'Weights' ELSE 'Activations' END || format(', cost by %s [%s] (%s on %s, budget %.12g %s)',
    cost.sensitivity, cost.unit, focus.model, focus.data_name, focus.budget, focus.budget_unit) AS panel,
  cost.method AS series,
  substr(cost.config_key, 1, 10) AS config,
  cost.quantizer AS tensor,
  avg(cost.value) AS x,
  avg(bits.bits) AS y
FROM cost
JOIN focus
JOIN bits ON bits.key = cost.key AND bits.quantizer = cost.quantizer
GROUP BY cost.config_key, cost.sensitivity, cost.kind, cost.quantizer
ORDER BY cost.kind DESC, cost.sensitivity, series, x;
