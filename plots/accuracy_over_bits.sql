-- Top-1 accuracy over achieved bits, a row per configuration. Runs above their budget are rows of their own.
WITH run AS MATERIALIZED (
  SELECT
    key,
    config_key,
    method,
    model || ' on ' || data_name AS panel,
    top1,
    (weight_bits + activation_bits) / 2 AS bits,
    NOT counts AS missed,
    budget_limit IS NULL AS reference
  FROM runs
  WHERE state = 'finished' AND top1 IS NOT NULL
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
    AND is_trial IS NOT 1
),
-- One run of each configuration, which stands for the parameters of all its runs.
first AS MATERIALIZED (
  SELECT min(key) AS key, config_key, method, panel
  FROM run
  GROUP BY config_key
),
-- What tells the configurations of a method apart: the parameters that all of them have and that vary, the budget aside.
axis AS MATERIALIZED (
  SELECT panel, method, name
  FROM first
  JOIN parameters ON parameters.key = first.key
  WHERE name NOT IN ('seed', 'plugin') AND (name NOT GLOB 'budget.*' OR name = 'budget.weighting')
  GROUP BY panel, method, name
  HAVING count(DISTINCT value) > 1
    AND count(*) = (SELECT count(*) FROM first AS other WHERE other.panel = first.panel AND other.method = first.method)
),
label AS MATERIALIZED (
  SELECT
    config_key,
    panel,
    method || coalesce((
      SELECT ' ' || group_concat(axis.name || '=' || value, ' ')
      FROM parameters
      JOIN axis ON axis.name = parameters.name AND axis.method = first.method AND axis.panel = first.panel
      WHERE parameters.key = first.key
    ), '') AS text,
    (
      SELECT group_concat(name || '=' || value)
      FROM parameters
      WHERE parameters.key = first.key AND name GLOB 'budget.*'
    ) AS budgets
  FROM first
),
-- Configurations that this does not tell apart have the first digits of their key behind it.
named AS MATERIALIZED (
  SELECT
    config_key,
    text || iif(min(config_key) OVER same < max(config_key) OVER same, ' ' || substr(config_key, 1, 6), '') AS series
  FROM label
  WINDOW same AS (PARTITION BY panel, text, budgets)
),
centered AS (
  SELECT run.*, series, avg(top1) OVER (PARTITION BY run.config_key, missed) AS mean
  FROM run
  JOIN named ON named.config_key = run.config_key
),
configuration AS (
  SELECT
    panel,
    series,
    substr(config_key, 1, 10) AS config,
    missed,
    reference,
    count(*) AS n,
    avg(bits) AS x,
    avg(top1) AS y,
    sqrt(sum((top1 - mean) * (top1 - mean)) / (count(*) - 1)) AS deviation  -- NULL for one seed
  FROM centered
  GROUP BY config_key, missed
)
SELECT
  panel,
  series,
  config,
  1 AS connected,
  format('%.2f bits', x) AS place,
  x,
  y,
  deviation,
  n,
  missed,
  reference,
  NOT missed AND NOT reference AND NOT EXISTS (
    SELECT 1
    FROM configuration AS other
    WHERE other.panel = configuration.panel AND NOT other.missed AND NOT other.reference
      AND round(other.x, 2) <= round(configuration.x, 2) AND other.y >= configuration.y
      AND (round(other.x, 2) < round(configuration.x, 2) OR other.y > configuration.y)
  ) AS front
FROM configuration
ORDER BY panel, series, x;
