-- Which solver and sensitivity reach the best mean top-1 at each budget?
-- :model  only this network
WITH ranked AS (
  SELECT
    model,
    budget_average_bits AS bits,
    method,
    sensitivity,
    solver,
    top1_mean,
    top1_deviation,
    n_seeds,
    rank() OVER (PARTITION BY model, data_name, budget_average_bits ORDER BY top1_mean DESC) AS place
  FROM results
  WHERE n_seeds > 0
    AND budget_average_bits IS NOT NULL
    AND (:model IS NULL OR model = :model)
)
SELECT
  model,
  bits,
  method,
  sensitivity,
  solver,
  top1_mean,
  top1_deviation,
  n_seeds
FROM ranked
WHERE place = 1
ORDER BY model, CAST(bits AS REAL) DESC, method;
