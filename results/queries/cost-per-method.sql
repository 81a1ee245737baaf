-- What does a run of each method cost, and how much of it goes into choosing bits?
SELECT
  model,
  method,
  count(*) AS runs,
  sum(seconds) / 3600 AS hours,
  avg(seconds) AS seconds_per_run,
  1000 * sum(train_seconds) / sum(steps) AS milliseconds_per_step,
  100 * sum(reallocation_seconds) / sum(seconds) AS percent_reallocating,
  max(peak_memory_bytes) / 1e6 AS megabytes_peak
FROM runs
WHERE state = 'finished'
GROUP BY model, method
ORDER BY model, hours DESC, method;
