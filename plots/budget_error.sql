-- How far every run ends from its budgets.
WITH run AS MATERIALIZED (
  SELECT key, method, weight_bits, weight_limit_bits, activation_bits, activation_limit_bits, joint_bits, joint_limit_bits
  FROM runs
  WHERE state = 'finished'
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
    AND is_trial IS NOT 1
),
error AS (
  SELECT 'Weights' AS panel, method AS series, substr(key, 1, 10) AS run, weight_bits - weight_limit_bits AS x, weight_bits > weight_limit_bits AS missed
  FROM run
  WHERE weight_limit_bits IS NOT NULL
  UNION ALL
  SELECT 'Activations', method, substr(key, 1, 10), activation_bits - activation_limit_bits, activation_bits > activation_limit_bits
  FROM run
  WHERE activation_limit_bits IS NOT NULL
  UNION ALL
  SELECT 'Weights and activations together', method, substr(key, 1, 10), joint_bits - joint_limit_bits, joint_bits > joint_limit_bits
  FROM run
  WHERE joint_limit_bits IS NOT NULL
)
SELECT *, 'bits' AS unit, 0 AS zero
FROM error
ORDER BY panel DESC, series;
