-- Top-1 accuracy over achieved bits, a row per configuration. Runs above their budget are rows of their own.
WITH run AS (
  SELECT
    config_key,
    method,
    model || ' on ' || data_name AS panel,
    top1,
    (weight_bits + activation_bits) / 2 AS bits,
    budget_met IS 0 AS missed,
    coalesce(weight_limit_bits, activation_limit_bits, joint_limit_bits) IS NULL AS reference
  FROM runs
  WHERE state = 'finished' AND top1 IS NOT NULL
    AND (:sweep IS NULL OR instr(' ' || sweeps || ' ', ' ' || :sweep || ' ') > 0)
),
centred AS (
  SELECT *, avg(top1) OVER (PARTITION BY config_key, missed) AS mean FROM run
),
configuration AS (
  SELECT
    panel,
    method,
    missed,
    reference,
    count(*) AS n,
    avg(bits) AS x,
    avg(top1) AS y,
    sqrt(sum((top1 - mean) * (top1 - mean)) / (count(*) - 1)) AS deviation  -- NULL for one seed
  FROM centred
  GROUP BY config_key, missed
)
SELECT
  panel,
  method AS series,
  x,
  y,
  deviation,
  n,
  missed,
  reference,
  NOT missed AND NOT reference AND NOT EXISTS (
    SELECT 1
    FROM configuration AS other
    WHERE other.panel = configuration.panel AND NOT other.missed AND NOT other.reference
      AND round(other.x, 2) <= round(configuration.x, 2) AND other.y >= configuration.y
      AND (round(other.x, 2) < round(configuration.x, 2) OR other.y > configuration.y)
  ) AS front
FROM configuration
ORDER BY panel, method, x;
