-- What does one axis do, all else equal? Every pair of runs that differ in it alone.
-- :axis  the parameter: axis=reallocation.tau
WITH good AS (
  SELECT
    runs.key,
    runs.top1,
    CAST(own.value AS TEXT) AS value,
    (
      SELECT group_concat(name || '=' || COALESCE(value, ''), char(10))
      FROM (SELECT name, value FROM parameters WHERE parameters.key = runs.key AND name <> :axis ORDER BY name)
    ) AS rest
  FROM runs
  JOIN parameters AS own ON own.key = runs.key AND own.name = :axis
  WHERE runs.state = 'finished'
    AND runs.budget_met IS NOT 0
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
JOIN good AS b ON b.rest = a.rest AND b.value <> a.value
WHERE (CAST(a.value AS REAL) < CAST(b.value AS REAL))
   OR (CAST(a.value AS REAL) = CAST(b.value AS REAL) AND a.value < b.value)
GROUP BY a.value, b.value
ORDER BY CAST(a.value AS REAL), a.value, CAST(b.value AS REAL), b.value;
