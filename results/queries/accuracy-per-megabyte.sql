-- How accurate is each configuration for the bytes of its weights? Those that no smaller one beats are marked.
-- :model  only this network
WITH candidate AS MATERIALIZED (
  SELECT
    config_key,
    model,
    data_name,
    method,
    budget_average_bits,
    weight_bytes,
    top1_mean,
    n_seeds
  FROM results
  WHERE n_seeds > 0
    AND weight_bytes > 0
    AND (:model IS NULL OR model = :model)
)
SELECT
  model,
  method,
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
      AND other.weight_bytes <= candidate.weight_bytes
      AND other.top1_mean >= candidate.top1_mean
      AND (other.weight_bytes < candidate.weight_bytes OR other.top1_mean > candidate.top1_mean)
  ) AS unbeaten
FROM candidate
ORDER BY model, megabytes, top1_mean DESC, method;
