-- Bits of every run from each reallocation on, as digits of base 36.
SELECT
  key,
  step,
  group_concat(substr('0123456789abcdefghijklmnopqrstuvwxyz', bits + 1, 1), '') AS digits
FROM (
  SELECT bits_history.*
  FROM runs
  JOIN bits_history ON bits_history.key = runs.key
  WHERE :sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep)
  ORDER BY bits_history.key, step, position
)
GROUP BY key, step
ORDER BY key, step;
