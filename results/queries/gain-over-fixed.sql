-- What does each method gain over fixed precision at the same budget, paired by seed?
-- :model  only this network
WITH good AS (
  SELECT
    model,
    data_name,
    budget_average_bits,
    method,
    config_key,
    seed,
    top1
  FROM runs
  WHERE state = 'finished'
    AND budget_met IS NOT 0
    AND budget_average_bits IS NOT NULL
    AND (:model IS NULL OR model = :model)
)
SELECT
  ours.model,
  ours.budget_average_bits AS bits,
  ours.method,
  substr(ours.config_key, 1, 10) AS config,
  count(*) AS pairs,
  avg(ours.top1 - fixed.top1) AS gain,
  min(ours.top1 - fixed.top1) AS least,
  max(ours.top1 - fixed.top1) AS most,
  sum(ours.top1 > fixed.top1) AS better
FROM good AS ours
JOIN good AS fixed
  ON fixed.method = 'fixed_precision'
  AND fixed.model = ours.model
  AND fixed.data_name = ours.data_name
  AND fixed.seed = ours.seed
  AND CAST(fixed.budget_average_bits AS REAL) = CAST(ours.budget_average_bits AS REAL)
WHERE ours.method <> 'fixed_precision'
GROUP BY ours.config_key, fixed.config_key
ORDER BY ours.model, CAST(ours.budget_average_bits AS REAL) DESC, gain DESC;
