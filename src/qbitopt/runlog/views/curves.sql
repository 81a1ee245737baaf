-- Points of the curves of every run. A resumed attempt hides earlier points beyond its starting step, and those at that step that it measured anew.
CREATE VIEW curves AS
SELECT
  job.key AS key,                 -- the run
  json_extract(job.parameters, '$.method') AS method,  -- its method
  json_extract(job.parameters, '$.seed') AS seed,      -- its seed
  metric_definition.name AS metric,                    -- 'loss', 'top1', ...
  CASE metric_point.split WHEN 0 THEN 'train' WHEN 1 THEN 'validation' ELSE 'test' END AS split,  -- images it was measured on
  metric_point.step AS step,      -- [optimiser steps] done
  metric_point.value AS value     -- in the metric's unit
FROM job
JOIN attempt_chain ON attempt_chain.attempt_id = job.attempt_id
JOIN metric_point ON metric_point.attempt_id = attempt_chain.ancestor_id AND metric_point.step <= attempt_chain.last_step
  AND (metric_point.step < attempt_chain.last_step OR NOT EXISTS (
    SELECT 1
    FROM attempt_chain AS later
    JOIN metric_point AS again ON again.attempt_id = later.ancestor_id AND again.metric_id = metric_point.metric_id
      AND again.split = metric_point.split AND again.step = metric_point.step
    WHERE later.attempt_id = job.attempt_id AND later.ancestor_id > attempt_chain.ancestor_id AND again.step <= later.last_step))
LEFT JOIN metric_definition ON metric_definition.id = metric_point.metric_id;
