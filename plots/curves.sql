-- Loss and top-1 accuracy of training batches over the steps: mean and standard deviation (n - 1) over the seeds.
WITH run AS (
  SELECT *, coalesce(weight_limit_bits, activation_limit_bits, joint_limit_bits) AS budget
  FROM runs
  WHERE state = 'finished' AND budget_met IS NOT 0 AND method <> 'fp32'
    AND (:sweep IS NULL OR instr(' ' || sweeps || ' ', ' ' || :sweep || ' ') > 0)
),
-- The model and data with the most runs, at the tightest of the budgets that most of its methods share.
focus AS (
  SELECT model, data_name, budget
  FROM run
  WHERE budget IS NOT NULL
  GROUP BY model, data_name, budget
  ORDER BY count(DISTINCT method) DESC, budget, count(*) DESC
  LIMIT 1
),
point AS (
  SELECT
    curves.metric,
    run.method,
    curves.step,
    curves.value,
    avg(curves.value) OVER (PARTITION BY curves.metric, run.method, curves.step) AS mean
  FROM run
  JOIN focus
    ON run.model = focus.model AND run.data_name = focus.data_name
    AND (run.budget = focus.budget OR run.budget IS NULL)
  JOIN curves ON curves.key = run.key
  WHERE curves.metric IN ('loss', 'top1') AND curves.split = 'train'
)
SELECT
  CASE metric WHEN 'loss' THEN 'Loss on training batches [nats]' ELSE 'Top-1 accuracy on training batches [%]' END AS panel,
  method AS series,
  step AS x,
  avg(value) AS y,
  sqrt(sum((value - mean) * (value - mean)) / (count(*) - 1)) AS deviation
FROM point
GROUP BY metric, method, step
ORDER BY metric, method, step;
