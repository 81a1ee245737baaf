-- What does one axis do, all else equal? Every pair of runs that start from the same checkpoint and differ in no other
-- parameter that both have; a run without a budget is compared with none that has one.
-- :axis  the parameter: axis=reallocation.tau
WITH good AS MATERIALIZED (
  SELECT
    runs.seed,
    runs.top1,
    CAST(own.value AS TEXT) AS value,
    budget_limit IS NULL AS is_free,
    checkpoint,
    (
      SELECT json_group_object(name, value)
      FROM parameters
      WHERE parameters.key = runs.key AND name NOT IN (:axis, 'plugin')  -- where a method's file lies
    ) AS rest
  FROM runs
  JOIN parameters AS own ON own.key = runs.key AND own.name = :axis
  WHERE counts
)
SELECT
  a.value AS from_value,
  b.value AS to_value,
  count(*) AS pairs,
  avg(b.top1 - a.top1) AS top1_change,
  min(b.top1 - a.top1) AS least,
  max(b.top1 - a.top1) AS most,
  sum(b.top1 > a.top1) AS better
FROM good AS a
JOIN good AS b
  ON b.value <> a.value
  AND (b.seed = a.seed OR :axis = 'seed')
  AND b.is_free = a.is_free
  AND b.checkpoint IS a.checkpoint
WHERE (CAST(a.value AS REAL), a.value) < (CAST(b.value AS REAL), b.value)
  AND NOT EXISTS (
    SELECT 1
    FROM json_each(a.rest) AS other
    WHERE json_extract(b.rest, '$."' || other.key || '"') <> other.value
  )
GROUP BY a.value, b.value
ORDER BY CAST(a.value AS REAL), a.value, CAST(b.value AS REAL), b.value;
