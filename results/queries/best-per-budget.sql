-- Which solver and sensitivity reach the best mean top-1 at each budget of each recipe?
-- A recipe is the network, its checkpoint, the data, the training and the quantizers.
-- :model  only this network
WITH part AS (
  SELECT config_key, name, value
  FROM runs
  JOIN parameters ON parameters.key = runs.key
  WHERE name = 'budget.weighting'
    OR substr(name, 1, instr(name, '.') - 1) IN ('data', 'training', 'batch_norm', 'quantizers', 'ranges', 'calibration')
  UNION
  SELECT config_key, 'checkpoint', checkpoint
  FROM results
  WHERE checkpoint IS NOT NULL
),
recipe AS (
  SELECT
    config_key,
    group_concat(name || '=' || value, char(10)) AS text,
    max(value) FILTER (WHERE name = 'training.steps') AS steps
  FROM (SELECT * FROM part ORDER BY config_key, name, value)
  GROUP BY config_key
),
ranked AS (
  SELECT
    model,
    budget_average_bits AS bits,
    steps,
    method,
    sensitivity,
    solver,
    top1_mean,
    top1_deviation,
    n_seeds,
    rank() OVER (PARTITION BY model, recipe.text, CAST(budget_average_bits AS REAL) ORDER BY top1_mean DESC) AS place
  FROM results
  LEFT JOIN recipe ON recipe.config_key = results.config_key
  WHERE n_seeds > 0 AND n_seeds = n_jobs  -- who lost a seed to failure or budget competes with none
    AND budget_average_bits IS NOT NULL
    AND (:model IS NULL OR model = :model)
)
SELECT
  model,
  bits,
  steps,
  method,
  sensitivity,
  solver,
  top1_mean,
  top1_deviation,
  n_seeds
FROM ranked
WHERE place = 1
ORDER BY model, CAST(bits AS REAL) DESC, steps, method;
