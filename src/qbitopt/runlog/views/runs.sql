-- One row per job: its parameters (an axis that does not apply is NULL), results, bits, times and environment.
CREATE VIEW runs AS
SELECT
  job.key AS key,                          -- identity: sha256 over everything that affects the result
  substr(job.key, 1, 10) AS job,           -- first 10 digits of the key, as other verbs take it
  job.config_key AS config_key,            -- the same for all seeds of a configuration
  CASE WHEN attempt.state = 'finished' THEN 'finished' ELSE {state_of_job} END AS state,  -- new, running, interrupted, finished, failed, or stopped early by the sweep; a finished run that is run again stays finished
  attempt.state IS 'finished' AND attempt.budget_met IS NOT 0 AND (SELECT min(sweep_job.trial) > 0 FROM sweep_job WHERE sweep_job.job_id = job.id AND NOT sweep_job.orphaned) IS NOT 1 AS counts,  -- 1: in means and comparisons: finished, within its budget, and no trial of a search
  (SELECT needed.key FROM job_dependency JOIN job AS needed ON needed.id = job_dependency.needed_job_id WHERE job_dependency.job_id = job.id AND job_dependency.need = 'fp32_checkpoint') AS checkpoint,  -- key of the full-precision run that it started from; NULL: none
  {parameters}
  {metrics}
  {budgets}
  COALESCE(weight_budget.all_tensor_bits, CASE WHEN attempt.state = 'finished' AND attempt.inventory_id IS NULL THEN 32.0 END) AS weight_bits_all_tensors,  -- [bits] average over all quantized weights, pinned ones included
  COALESCE(activation_budget.all_tensor_bits, CASE WHEN attempt.state = 'finished' AND attempt.inventory_id IS NULL THEN 32.0 END) AS activation_bits_all_tensors,  -- [bits] average over all quantized activations, pinned ones included
  attempt.weight_bytes AS weight_bytes,    -- [bytes] all quantized weights at their final bits
  attempt.budget_met AS budget_met,        -- 1: the final bits meet every budget
  job.guarantees_budget AS guarantees_budget,  -- 1: the method promises to keep its budget
  attempt.steps AS steps,                  -- [optimizer steps] done
  attempt.seconds AS seconds,              -- [seconds] of the run, all its attempts together
  attempt.train_seconds AS train_seconds,  -- [seconds] of them spent in training steps
  attempt.reallocation_seconds AS reallocation_seconds,  -- [seconds] of them spent choosing bits again, without the first choice
  attempt.peak_memory_bytes AS peak_memory_bytes,        -- [bytes] largest resident memory
  (SELECT count(*) FROM attempt AS counted WHERE counted.job_id = job.id) AS attempts,  -- number of attempts
  attempt.started_at AS started_at,        -- [unix seconds] first event of the attempt that counts
  attempt.ended_at AS ended_at,            -- [unix seconds] last event of the attempt that counts
  (SELECT heard_at FROM attempt AS latest WHERE latest.job_id = job.id ORDER BY number DESC LIMIT 1) AS heard_at,  -- [unix seconds] latest event of its latest attempt
  attempt.host AS host,                    -- machine it ran on
  attempt.slurm_id AS queue_id,            -- job of the cluster's queue that ran it: '101_0'; NULL: it ran without a queue
  attempt.device AS ran_on,                -- device it ran on
  attempt.threads AS threads,              -- [threads] it used
  environment.cpu AS cpu,                  -- processor
  environment.os AS os,                    -- operating system
  environment.libtorch AS libtorch,        -- version of LibTorch
  environment.compiler AS compiler,        -- compiler
  environment.commit_hash AS commit_hash,  -- version of the code
  CASE attempt.state WHEN 'failed' THEN attempt.error_class END AS error_class,  -- of a failed or stopped run
  CASE attempt.state WHEN 'failed' THEN attempt.error_text END AS error_text,    -- of a failed or stopped run
  (SELECT min(sweep_job.trial) > 0 FROM sweep_job WHERE sweep_job.job_id = job.id AND NOT sweep_job.orphaned) AS is_trial,  -- 1: only a trial of a search, which chose another strength or has not ended
  (SELECT group_concat(sweep.name, ' ') FROM sweep_job JOIN sweep ON sweep.id = sweep_job.sweep_id WHERE sweep_job.job_id = job.id AND NOT sweep_job.orphaned) AS sweeps,  -- names of the sweeps that contain it
  (SELECT text FROM note WHERE note.job_id = job.id) AS note,  -- what a person has noted
  (SELECT group_concat(name, ' ') FROM (SELECT name FROM tag WHERE tag.job_id = job.id UNION SELECT name FROM tag JOIN sweep_job ON sweep_job.sweep_id = tag.sweep_id WHERE sweep_job.job_id = job.id AND NOT sweep_job.orphaned)) AS tags  -- its tags and those of its sweeps
FROM job
LEFT JOIN attempt ON attempt.id = job.attempt_id
LEFT JOIN environment ON environment.id = attempt.environment_id
{budget_joins};
