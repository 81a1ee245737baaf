-- Every job of the sweep.
SELECT
  key,
  config_key,
  state,
  method,
  model,
  data_name,
  seed,
  budget_limit AS budget,
  budget_unit,
  top1,
  loss,
  validation_top1,
  weight_bits,
  activation_bits,
  weight_limit_bits,
  activation_limit_bits,
  budget_met,
  weight_bytes,
  counted_weight_bytes,
  weight_limit_bytes,
  bops,
  limit_bops,
  seconds,
  train_seconds,
  reallocation_seconds,
  peak_memory_bytes,
  attempts,
  started_at,
  host,
  cpu,
  os,
  libtorch,
  compiler,
  commit_hash,
  error_class,
  error_text
FROM runs
WHERE :sweep IS NULL OR runs.key IN (
  SELECT job.key
  FROM sweep
  JOIN sweep_job ON sweep_id = sweep.id
  JOIN job ON job.id = job_id
  WHERE sweep.name = :sweep AND NOT orphaned
)
ORDER BY method, model, budget, seed, key;
