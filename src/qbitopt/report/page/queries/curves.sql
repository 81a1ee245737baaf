-- Every curve as two lists, of at most about 60 points.
WITH point AS (
  SELECT
    curves.key,
    metric,
    split,
    step,
    value,
    row_number() OVER curve AS place,
    count(*) OVER (PARTITION BY curves.key, metric, split) AS points
  FROM runs
  JOIN curves ON curves.key = runs.key
  WHERE (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
    AND metric <> 'learning_rate'
  WINDOW curve AS (PARTITION BY curves.key, metric, split ORDER BY step)
)
SELECT key, metric, split, group_concat(step) AS steps, group_concat(printf('%.4g', value)) AS value_list
FROM (
  SELECT *
  FROM point
  WHERE points <= 60 OR place = 1 OR place * 59 / points <> (place - 1) * 59 / points
  ORDER BY key, metric, split, step
)
GROUP BY key, metric, split
ORDER BY key, metric = 'loss' DESC, metric, split;
