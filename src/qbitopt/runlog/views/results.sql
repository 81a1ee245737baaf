-- One row per configuration: the means over its seeds. Runs above their budget and trials of a search are counted, but are in no mean.
CREATE VIEW results AS
WITH counted AS (
  SELECT
    *,
    (SELECT job.config_key FROM job WHERE job.key = runs.checkpoint) AS checkpoint_config
    {window_means}
  FROM runs
)
SELECT
  config_key AS config_key,                           -- the configuration
  {parameters_but_seed}
  count(*) AS n_jobs,                                 -- seeds in the sweeps
  sum(counts) AS n_seeds,                            -- seeds in the means
  sum(state = 'finished' AND budget_met IS 0) AS n_missed,  -- seeds that ended above their budget
  sum(state = 'failed') AS n_failed,                  -- seeds that failed
  sum(state = 'stopped') AS n_stopped,                -- seeds that the sweep stopped early
  min(is_trial) AS is_trial,                          -- 1: only a trial of a search, which chose another strength or has not ended
  max(checkpoint_config) AS checkpoint,               -- config_key of the full-precision runs that it started from; NULL: none
  {metric_statistics}
  {budget_means}
  avg(weight_bits_all_tensors) FILTER (WHERE counts) AS weight_bits_all_tensors,  -- [bits] pinned weights included
  avg(activation_bits_all_tensors) FILTER (WHERE counts) AS activation_bits_all_tensors,  -- [bits] pinned activations included
  avg(weight_bytes) FILTER (WHERE counts) AS weight_bytes,        -- [bytes] all quantized weights at their final bits
  avg(seconds) FILTER (WHERE counts) AS seconds_mean,             -- [seconds] of a run
  sum(seconds) FILTER (WHERE state = 'finished') AS seconds_total  -- [seconds] of all its runs
FROM counted
GROUP BY config_key;
