-- Top-1 accuracy over the size of the weights, a row per configuration. Runs above their budget are rows of their own.
WITH run AS MATERIALIZED (
  SELECT config_key, method, model || ' on ' || data_name AS panel, top1, weight_bytes / 1000.0 AS x, NOT counts AS missed
  FROM runs
  WHERE state = 'finished' AND top1 IS NOT NULL AND weight_bytes IS NOT NULL AND budget_limit IS NOT NULL
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
    AND is_trial IS NOT 1
),
centered AS (
  SELECT *, avg(top1) OVER (PARTITION BY config_key, missed) AS mean FROM run
),
configuration AS (
  SELECT
    panel,
    method AS series,
    substr(config_key, 1, 10) AS config,
    missed,
    count(*) AS n,
    avg(x) AS x,
    avg(top1) AS y,
    sqrt(sum((top1 - mean) * (top1 - mean)) / (count(*) - 1)) AS deviation  -- NULL for one seed
  FROM centered
  GROUP BY config_key, missed
)
SELECT
  panel,
  series,
  config,
  format('%.4g kB', x) AS place,
  x,
  y,
  deviation,
  n,
  missed,
  NOT missed AND NOT EXISTS (
    SELECT 1
    FROM configuration AS other
    WHERE other.panel = configuration.panel AND NOT other.missed AND round(other.x, 2) <= round(configuration.x, 2) AND other.y >= configuration.y
      AND (round(other.x, 2) < round(configuration.x, 2) OR other.y > configuration.y)
  ) AS front
FROM configuration
ORDER BY panel, series, x;
