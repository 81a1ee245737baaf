-- Mean final bits of every quantizer by configuration.
WITH run AS MATERIALIZED (
  SELECT key, config_key, method, model, data_name, budget_limit AS budget, budget_unit
  FROM runs
  WHERE counts
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
),
-- The model and data with the most runs, at the tightest of the budgets that most of its methods share.
focus AS (
  SELECT model, data_name, budget
  FROM run
  WHERE budget IS NOT NULL
  GROUP BY model, data_name, budget
  ORDER BY count(DISTINCT method) DESC, budget, count(*) DESC
  LIMIT 1
),
chosen AS MATERIALIZED (
  SELECT run.key, run.config_key, run.method, format('%s, budget %.12g %s', run.model, run.budget, run.budget_unit) AS setting
  FROM run
  JOIN focus ON run.model = focus.model AND run.data_name = focus.data_name AND run.budget = focus.budget
),
-- What tells the configurations of a method apart: the parameters that all of them have and that vary.
axis AS MATERIALIZED (
  SELECT chosen.method, name
  FROM chosen
  JOIN parameters ON parameters.key = chosen.key
  WHERE name NOT IN ('seed', 'plugin')
  GROUP BY chosen.method, name
  HAVING count(DISTINCT value) > 1
    AND count(*) = (SELECT count(*) FROM chosen AS other WHERE other.method = chosen.method)
),
label AS (
  SELECT
    *,
    method || coalesce((
      SELECT ' ' || group_concat(axis.name || '=' || value, ' ')
      FROM parameters
      JOIN axis ON axis.name = parameters.name AND axis.method = chosen.method
      WHERE parameters.key = chosen.key
    ), '') AS text
  FROM chosen
),
-- Configurations that this does not tell apart have the first digits of their key behind it.
named AS (
  SELECT *, text || iif(min(config_key) OVER same < max(config_key) OVER same, ' ' || substr(config_key, 1, 6), '') AS series
  FROM label
  WINDOW same AS (PARTITION BY text)
),
final AS (
  SELECT named.config_key, named.series, named.setting, bits.*
  FROM named
  JOIN bits ON bits.key = named.key
)
SELECT
  CASE kind WHEN 'weight' THEN 'Weights' ELSE 'Activations' END || ' (' || setting || ')' AS panel,
  series AS y,
  substr(config_key, 1, 10) AS config,
  replace(replace(quantizer, '.weight', ''), '.input', '') AS x,
  avg(bits) AS value
FROM final
WHERE config_key IN (SELECT config_key FROM final WHERE counted GROUP BY config_key HAVING min(bits) < max(bits))
GROUP BY kind, config_key, quantizer
ORDER BY kind DESC, series, min(position);
