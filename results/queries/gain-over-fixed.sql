-- What does each method gain over fixed precision at the same budget, paired by seed?
-- A pair starts from the same checkpoint, and no parameter that both runs have differs, the method apart.
-- :model  only this network
WITH good AS MATERIALIZED (
  SELECT
    key,
    model,
    budget_average_bits AS bits,
    method,
    config_key,
    seed,
    top1,
    checkpoint
  FROM runs
  WHERE counts
    AND budget_average_bits IS NOT NULL
    AND (:model IS NULL OR model = :model)
)
SELECT
  ours.model,
  ours.bits,
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
  AND fixed.seed = ours.seed
  AND CAST(fixed.bits AS REAL) = CAST(ours.bits AS REAL)
  AND fixed.checkpoint IS ours.checkpoint
WHERE ours.method <> 'fixed_precision'
  AND NOT EXISTS (
    SELECT 1
    FROM parameters AS a
    JOIN parameters AS b ON b.key = fixed.key AND b.name = a.name AND b.value <> a.value
    WHERE a.key = ours.key AND a.name NOT IN ('method', 'budget.average_bits')
  )
GROUP BY ours.config_key, fixed.config_key
ORDER BY ours.model, CAST(ours.bits AS REAL) DESC, gain DESC;
