-- Mean final bits of every quantiser by method.
WITH run AS (
  SELECT *, coalesce(weight_limit_bits, activation_limit_bits, joint_limit_bits) AS budget
  FROM runs
  WHERE state = 'finished' AND budget_met IS NOT 0
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
chosen AS (
  SELECT bits.*, format('%s, budget %g bits', run.model, run.budget) AS setting
  FROM run
  JOIN focus ON run.model = focus.model AND run.data_name = focus.data_name AND run.budget = focus.budget
  JOIN bits ON bits.key = run.key
)
SELECT
  CASE kind WHEN 'weight' THEN 'Weights' ELSE 'Activations' END || ' (' || setting || ')' AS panel,
  method AS y,
  replace(replace(quantizer, '.weight', ''), '.input', '') AS x,
  avg(bits) AS value
FROM chosen
WHERE method IN (SELECT method FROM chosen WHERE counted GROUP BY method HAVING min(bits) < max(bits))
GROUP BY kind, method, quantizer
ORDER BY kind DESC, method, min(position);
