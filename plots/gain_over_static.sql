-- Top-1 of a run minus that of static allocation under the same budgets, from the same start with the same seed: every parameter that
-- both have is the same but the method.
WITH run AS MATERIALIZED (
  SELECT
    key,
    method,
    model,
    data_name,
    seed,
    steps,
    checkpoint,
    top1,
    weight_limit_bits,
    activation_limit_bits,
    joint_limit_bits,
    weight_limit_bytes,
    limit_bops
  FROM runs
  WHERE counts = 1 AND budget_limit IS NOT NULL AND top1 IS NOT NULL
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
),
pair AS MATERIALIZED (
  SELECT
    other.key,
    other.method,
    other.checkpoint,
    model || ' on ' || data_name || ', ' || steps || ' steps' AS panel,
    iif(other.joint_limit_bits IS NULL, iif(
      other.weight_limit_bits IS other.activation_limit_bits,
      other.weight_limit_bits || ' bits, two budgets',
      coalesce(other.weight_limit_bits || ' weight bits ', '') || coalesce(other.activation_limit_bits || ' activation bits ', '')
      || coalesce(other.weight_limit_bytes || ' bytes ', '') || coalesce(other.limit_bops || ' BOPs', '')
    ), other.joint_limit_bits || ' bits, joint budget') AS budget,
    other.top1 - static.top1 AS x
  FROM run AS other
  JOIN run AS static USING (model, data_name, seed, steps)
  WHERE static.method = 'static_allocation' AND other.method <> 'static_allocation'
    AND static.checkpoint IS other.checkpoint
    AND static.weight_limit_bits IS other.weight_limit_bits
    AND static.activation_limit_bits IS other.activation_limit_bits
    AND static.joint_limit_bits IS other.joint_limit_bits
    AND static.weight_limit_bytes IS other.weight_limit_bytes
    AND static.limit_bops IS other.limit_bops
    AND NOT EXISTS (
      SELECT 1
      FROM parameters AS a
      JOIN parameters AS b ON b.key = static.key AND b.name = a.name
      WHERE a.key = other.key AND a.name NOT IN ('method', 'plugin') AND a.value IS NOT b.value
    )
),
-- What tells the configurations of a method apart, budgets and start aside.
axis AS MATERIALIZED (
  SELECT panel, method, name
  FROM pair
  JOIN parameters ON parameters.key = pair.key
  WHERE name NOT IN ('seed', 'plugin', 'method') AND name NOT GLOB 'budget.*'
  GROUP BY panel, method, name
  HAVING count(DISTINCT value) > 1
)
SELECT
  panel,
  method || ' ' || budget || coalesce((
    SELECT ' ' || group_concat(axis.name || '=' || value, ' ')
    FROM parameters
    JOIN axis ON axis.name = parameters.name AND axis.method = pair.method AND axis.panel = pair.panel
    WHERE parameters.key = pair.key
  ), '') || iif(min(checkpoint) OVER panels < max(checkpoint) OVER panels, ' from ' || substr(checkpoint, 1, 6), '') AS series,
  substr(key, 1, 10) AS run,
  x,
  0 AS missed,
  'points' AS unit,
  0 AS zero
FROM pair
WINDOW panels AS (PARTITION BY panel)
ORDER BY panel, series;
