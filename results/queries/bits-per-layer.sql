-- How many bits does each layer end with, averaged over the runs of a method?
-- :method  default qbitopt
-- :bits    only this budget
-- :model   only this network
SELECT
  bits.position,
  bits.quantizer,
  bits.kind,
  bits.elements,
  bits.counted,
  avg(bits.bits) AS bits,
  min(bits.bits) AS least,
  max(bits.bits) AS most,
  count(*) AS runs
FROM bits
JOIN runs ON runs.key = bits.key
WHERE runs.method = COALESCE(:method, 'qbitopt')
  AND (:bits IS NULL OR CAST(runs.budget_average_bits AS REAL) = :bits)
  AND (:model IS NULL OR runs.model = :model)
GROUP BY runs.model, bits.position, bits.quantizer
ORDER BY runs.model, bits.kind DESC, bits.position;
