-- Rank correlation of the costs of every two metrics; nothing where a network has runs of one metric only.
WITH first AS MATERIALIZED (
  SELECT runs.key, model || ' on ' || data_name AS network, min(step) AS step
  FROM runs
  JOIN allocations ON allocations.key = runs.key
  WHERE allocations.solver <> ''
    AND (:sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))
  GROUP BY runs.key
),
lowest AS (
  SELECT
    network,
    sensitivity AS metric,
    kind,
    quantizer,
    min(bits),  -- the other columns are those of its row
    value
  FROM first
  JOIN sensitivities ON sensitivities.key = first.key AND sensitivities.step = first.step
  GROUP BY first.key, quantizer
),
cost AS (
  SELECT network, metric, kind, quantizer, avg(value) AS value
  FROM lowest
  GROUP BY network, metric, kind, quantizer
),
-- Equal costs share the mean of their ranks.
ranked AS MATERIALIZED (
  SELECT
    *,
    rank() OVER (PARTITION BY network, metric, kind ORDER BY value)
      + (count(*) OVER (PARTITION BY network, metric, kind, value) - 1) / 2.0 AS place
  FROM cost
),
pair AS (
  SELECT
    a.network,
    a.kind,
    a.metric AS x,
    b.metric AS y,
    count(*) AS n,
    avg(a.place * b.place) - avg(a.place) * avg(b.place) AS covariance,
    avg(a.place * a.place) - avg(a.place) * avg(a.place) AS variance_x,
    avg(b.place * b.place) - avg(b.place) * avg(b.place) AS variance_y
  FROM ranked AS a
  JOIN ranked AS b USING (network, kind, quantizer)
  GROUP BY a.network, a.kind, a.metric, b.metric
)
SELECT
  CASE kind WHEN 'weight' THEN 'Weights' ELSE 'Activations' END || ' of ' || network AS panel,
  x,
  y,
  n,
  100 * covariance / sqrt(variance_x * variance_y) AS value
FROM pair
WHERE n > 2 AND variance_x > 0 AND variance_y > 0
  AND (SELECT count(DISTINCT metric) FROM ranked WHERE ranked.network = pair.network) > 1
ORDER BY kind DESC, network, x, y;
