-- Published numbers beside ours at the same bits: what did quantization cost, each against its own fp32?
-- Ours is the full-precision network that the job started from. Networks are matched by name without regard to case and
-- underscores.
-- :model  only this network, as the sources name it
WITH ours AS (
  SELECT
    lower(replace(quantized.model, '_', '')) AS model,
    quantized.method,
    quantized.config_key,
    quantized.budget_average_bits AS bits,
    quantized.top1_mean,
    quantized.top1_mean - fp32.top1_mean AS delta
  FROM results AS quantized
  LEFT JOIN results AS fp32 ON fp32.config_key = quantized.checkpoint
  WHERE quantized.n_seeds > 0
    AND quantized.budget_average_bits IS NOT NULL
)
SELECT
  published.model,
  published.method AS published_method,
  published.weight_bits,
  published.activation_bits,
  published.top1 AS published_top1,
  published.top1_minus_fp32 AS published_delta,
  ours.method AS our_method,
  substr(ours.config_key, 1, 10) AS our_config,
  ours.top1_mean AS our_top1,
  ours.delta AS our_delta,
  ours.delta - published.top1_minus_fp32 AS delta_difference,
  published.source_title
FROM published
LEFT JOIN ours
  ON ours.model = lower(replace(published.model, '_', ''))
  AND CAST(ours.bits AS REAL) = CAST(published.weight_bits AS REAL)
  AND published.weight_bits = published.activation_bits
WHERE (:model IS NULL OR published.model = :model)
ORDER BY ours.model IS NULL, published.model, CAST(published.weight_bits AS REAL), published.method, ours.method, our_config;
