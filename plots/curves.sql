-- Loss and top-1 accuracy of training batches over the steps: mean and standard deviation (n - 1) over the seeds of
-- each configuration.
WITH run AS (
  SELECT *, budget_limit AS budget
  FROM runs
  WHERE counts AND method <> 'fp32'
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
  SELECT run.key, run.config_key, run.method
  FROM run
  JOIN focus
    ON run.model = focus.model AND run.data_name = focus.data_name
    AND (run.budget = focus.budget OR run.budget IS NULL)
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
    key,
    config_key,
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
point AS (
  SELECT
    curves.metric,
    named.config_key,
    named.series,
    curves.step,
    curves.value,
    avg(curves.value) OVER (PARTITION BY curves.metric, named.config_key, curves.step) AS mean
  FROM named
  JOIN curves ON curves.key = named.key
  WHERE curves.metric IN ('loss', 'top1') AND curves.split = 'train'
)
SELECT
  CASE metric WHEN 'loss' THEN 'Loss on training batches [nats]' ELSE 'Top-1 accuracy on training batches [%]' END AS panel,
  series,
  substr(config_key, 1, 10) AS config,
  step AS x,
  avg(value) AS y,
  sqrt(sum((value - mean) * (value - mean)) / (count(*) - 1)) AS deviation
FROM point
GROUP BY metric, config_key, step
ORDER BY metric, series, step;
