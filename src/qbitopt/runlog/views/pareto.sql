-- The Pareto front: configurations that no other one dominates, among those with equal data, training and batch norm from the
-- same checkpoint. A configuration dominates another one if its accuracy and both average bits are at least as good, and one of
-- them is better. The checkpoint itself is included; runs of a search that chose another strength are not.
CREATE VIEW pareto AS
WITH training AS (
  SELECT job.config_key, group_concat(parameter.key || '=' || parameter.value, char(10)) AS recipe
  FROM job, json_each(job.parameters) AS parameter
  WHERE job.id IN (SELECT min(id) FROM job GROUP BY config_key)
    AND substr(parameter.key, 1, instr(parameter.key, '.') - 1) IN ('data', 'training', 'batch_norm')
    AND json_extract(job.parameters, '$.method') <> 'fp32'
  GROUP BY job.config_key
),
candidate AS MATERIALIZED (
  SELECT
    results.config_key,
    method,
    model,
    data_name,
    COALESCE(checkpoint, CASE method WHEN 'fp32' THEN results.config_key END) AS checkpoint,
    recipe,
    n_seeds,
    top1_mean,
    top1_deviation,
    weight_bits,
    activation_bits,
    weight_bytes
  FROM results
  LEFT JOIN training ON training.config_key = results.config_key
  WHERE n_seeds > 0
)
SELECT
  config_key AS config_key,            -- the configuration
  method AS method,                    -- its method
  model AS model,                      -- its network
  data_name AS data_name,              -- its data set
  n_seeds AS n_seeds,                  -- seeds in the mean
  top1_mean AS top1_mean,              -- [percent] mean over the seeds
  top1_deviation AS top1_deviation,    -- [percentage points] standard deviation (n - 1); NULL for one seed
  weight_bits AS weight_bits,          -- [bits] average over the counted weights
  activation_bits AS activation_bits,  -- [bits] average over the counted activations
  weight_bytes AS weight_bytes         -- [bytes] all quantized weights at their final bits
FROM candidate
WHERE NOT EXISTS (
  SELECT 1
  FROM candidate AS other
  WHERE other.model = candidate.model
    AND other.data_name = candidate.data_name
    AND other.checkpoint IS candidate.checkpoint
    AND (other.recipe = candidate.recipe OR candidate.recipe IS NULL)
    AND other.top1_mean >= candidate.top1_mean
    AND other.weight_bits <= candidate.weight_bits
    AND other.activation_bits <= candidate.activation_bits
    AND (other.top1_mean > candidate.top1_mean
      OR other.weight_bits < candidate.weight_bits
      OR other.activation_bits < candidate.activation_bits)
);
