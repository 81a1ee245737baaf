-- How many quantizers change their bits at each reallocation?
-- :method  default qbitopt
WITH steps AS (
  SELECT
    key,
    quantizer,
    step,
    bits,
    lag(bits) OVER (PARTITION BY key, position ORDER BY step) AS bits_before
  FROM bits_history
  WHERE method = COALESCE(:method, 'qbitopt')
)
SELECT
  step,
  count(DISTINCT key) AS runs,
  1.0 * sum(bits <> bits_before) / count(DISTINCT key) AS changed_per_run,
  1.0 * sum(bits > bits_before) / count(DISTINCT key) AS raised_per_run,
  1.0 * sum(bits < bits_before) / count(DISTINCT key) AS lowered_per_run,
  100.0 * sum(bits <> bits_before) / count(*) AS percent_changed
FROM steps
WHERE bits_before IS NOT NULL
GROUP BY step
ORDER BY step;
