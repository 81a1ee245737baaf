-- Configurations that no other of the same model and data beats: none has at least their accuracy with at most their
-- bits, and one of the three better.
CREATE VIEW pareto AS
WITH candidate AS MATERIALIZED (
  SELECT
    config_key,
    method,
    model,
    data_name,
    n_seeds,
    top1_mean,
    top1_deviation,
    weight_bits,
    activation_bits,
    weight_bytes
  FROM results
  WHERE n_seeds > 0
)
SELECT
  config_key AS config_key,            -- the configuration
  method AS method,                    -- its method
  model AS model,                      -- its network
  data_name AS data_name,              -- its data set
  n_seeds AS n_seeds,                  -- seeds that the mean is made of
  top1_mean AS top1_mean,              -- [percent] mean over the seeds
  top1_deviation AS top1_deviation,    -- [percentage points] standard deviation (n - 1); NULL for one seed
  weight_bits AS weight_bits,          -- [bits] average over the counted weights
  activation_bits AS activation_bits,  -- [bits] average over the counted activations
  weight_bytes AS weight_bytes         -- [bytes] all quantised weights at their final bits
FROM candidate
WHERE NOT EXISTS (
  SELECT 1
  FROM candidate AS other
  WHERE other.model = candidate.model
    AND other.data_name = candidate.data_name
    AND other.top1_mean >= candidate.top1_mean
    AND other.weight_bits <= candidate.weight_bits
    AND other.activation_bits <= candidate.activation_bits
    AND (other.top1_mean > candidate.top1_mean
      OR other.weight_bits < candidate.weight_bits
      OR other.activation_bits < candidate.activation_bits)
);
