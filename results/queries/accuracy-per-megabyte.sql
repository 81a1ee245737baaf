-- How accurate is each configuration for the bytes of its weights? Those that no smaller one beats are marked, among
-- configurations trained alike from the same checkpoint, and the checkpoint itself.
-- :model  only this network
WITH part AS (
  SELECT DISTINCT config_key, name, value
  FROM runs
  JOIN parameters ON parameters.key = runs.key
  WHERE substr(name, 1, instr(name, '.') - 1) IN ('data', 'training', 'batch_norm')
    AND method <> 'fp32'
),
training AS (
  SELECT config_key, group_concat(name || '=' || value, char(10)) AS recipe
  FROM (SELECT * FROM part ORDER BY config_key, name)
  GROUP BY config_key
),
candidate AS MATERIALIZED (
  SELECT
    results.config_key,
    model,
    data_name,
    COALESCE(checkpoint, CASE method WHEN 'fp32' THEN results.config_key END) AS checkpoint,
    recipe,
    method,
    budget_average_bits,
    weight_bytes,
    top1_mean,
    n_seeds
  FROM results
  LEFT JOIN training ON training.config_key = results.config_key
  WHERE n_seeds > 0
    AND weight_bytes > 0
    AND (:model IS NULL OR model = :model)
)
SELECT
  model,
  method,
  substr(config_key, 1, 10) AS config,
  budget_average_bits AS bits,
  weight_bytes / 1e6 AS megabytes,
  top1_mean,
  top1_mean / (weight_bytes / 1e6) AS top1_per_megabyte,
  n_seeds,
  NOT EXISTS (
    SELECT 1
    FROM candidate AS other
    WHERE other.model = candidate.model
      AND other.data_name = candidate.data_name
      AND other.checkpoint IS candidate.checkpoint
      AND (other.recipe = candidate.recipe OR candidate.recipe IS NULL)
      AND other.weight_bytes <= candidate.weight_bytes
      AND other.top1_mean >= candidate.top1_mean
      AND (other.weight_bytes < candidate.weight_bytes OR other.top1_mean > candidate.top1_mean)
  ) AS unbeaten
FROM candidate
ORDER BY model, megabytes, top1_mean DESC, method;
