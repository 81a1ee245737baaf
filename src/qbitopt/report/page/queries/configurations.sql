-- A row per configuration: its seeds taken together. Runs above their budget are counted, and enter no mean (where no run
-- is within it, the bits are those of the others).
WITH run AS (
  SELECT
    *,
    coalesce(weight_limit_bits, activation_limit_bits, joint_limit_bits, budget_average_bits) AS budget,
    state = 'finished' AND budget_met IS NOT 0 AS is_good
  FROM runs
  WHERE :sweep IS NULL OR instr(' ' || sweeps || ' ', ' ' || :sweep || ' ') > 0
),
centred AS (
  SELECT *, avg(top1) FILTER (WHERE is_good) OVER (PARTITION BY config_key) AS mean FROM run
)
SELECT
  min(key) AS key,
  model,
  method,
  budget,
  count(*) AS jobs,
  sum(is_good) AS n,
  sum(state = 'finished' AND NOT is_good) AS missed,
  sum(state = 'failed') AS failed,
  avg(top1) FILTER (WHERE is_good) AS top1,
  sqrt(sum((top1 - mean) * (top1 - mean)) FILTER (WHERE is_good) / (sum(is_good) - 1)) AS deviation,
  coalesce(avg(weight_bits) FILTER (WHERE is_good), avg(weight_bits)) AS weight_bits,
  coalesce(avg(activation_bits) FILTER (WHERE is_good), avg(activation_bits)) AS activation_bits,
  coalesce(avg(weight_bytes) FILTER (WHERE is_good), avg(weight_bytes)) AS weight_bytes,
  avg(seconds) FILTER (WHERE state = 'finished') AS seconds
FROM centred
GROUP BY config_key
ORDER BY model, budget IS NULL DESC, budget DESC, top1 DESC;
