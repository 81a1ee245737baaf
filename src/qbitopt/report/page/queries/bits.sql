-- Quantizers of every run, line by line, and their final bits as digits of base 36.
SELECT
  key,
  group_concat(quantizer, char(10)) AS quantizers,
  group_concat(kind, char(10)) AS kinds,
  group_concat(counted, char(10)) AS counted,
  group_concat(substr('0123456789abcdefghijklmnopqrstuvwxyz', bits + 1, 1), '') AS digits
FROM (
  SELECT bits.*
  FROM runs
  JOIN bits ON bits.key = runs.key
  WHERE :sweep IS NULL OR runs.key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep)
  ORDER BY bits.key, position
)
GROUP BY key;
