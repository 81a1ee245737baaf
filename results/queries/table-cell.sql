-- Which runs are behind one cell of a table? (`qbitopt show --cell` takes the cell's own address.)
-- :method  the row
-- :bits    the budget; left out: rows without one
-- :model   only this network
SELECT
  job,
  state,
  seed,
  top1,
  weight_bits,
  activation_bits,
  budget_met,
  seconds,
  commit_hash,
  sweeps
FROM runs
WHERE method = :method
  AND (CAST(budget_average_bits AS REAL) = :bits OR (:bits IS NULL AND budget_average_bits IS NULL))
  AND (:model IS NULL OR model = :model)
ORDER BY model, seed, job;
