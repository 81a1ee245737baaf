-- Points of the curves of every run. A resumed attempt hides earlier points beyond the step from which it continued, and those at that step that it measured again.
CREATE VIEW curves AS
SELECT
  job.key AS key,                 -- the run
  json_extract(job.parameters, '$.method') AS method,  -- its method
  json_extract(job.parameters, '$.seed') AS seed,      -- its seed
  metric_definition.name AS metric,                    -- 'loss', 'top1', ...
  CASE metric_point.split WHEN 0 THEN 'train' WHEN 1 THEN 'validation' ELSE 'test' END AS split,  -- images it was measured on
  metric_point.step AS step,      -- [optimizer steps] done
  metric_point.value AS value     -- in the metric's unit
FROM job
JOIN attempt_chain ON attempt_chain.attempt_id = job.attempt_id
JOIN metric_point ON {point_stands}
LEFT JOIN metric_definition ON metric_definition.id = metric_point.metric_id;
