-- How often does each method end above its budget, and by how much?
SELECT
  method,
  guarantees_budget,
  count(*) AS runs,
  sum(budget_met IS 0) AS missed,
  max(max(
    COALESCE(weight_bits - weight_limit_bits, 0),
    COALESCE(activation_bits - activation_limit_bits, 0),
    COALESCE(joint_bits - joint_limit_bits, 0)
  )) AS most_bits_above,
  max(max(COALESCE(counted_weight_bytes - weight_limit_bytes, 0), 0)) AS most_bytes_above,
  max(max(COALESCE(bops - limit_bops, 0), 0)) AS most_bit_operations_above,
  (SELECT count(*) FROM failures WHERE failures.method = runs.method AND error_class = 'budget_exceeded') AS failed_for_it
FROM runs
WHERE state = 'finished'
  AND budget_limit IS NOT NULL
  AND is_trial IS NOT 1
GROUP BY method, guarantees_budget
ORDER BY missed DESC, method;
