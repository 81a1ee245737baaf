-- One row per job and parameter, for queries about any axis.
CREATE VIEW parameters AS
SELECT
  job.key AS key,              -- the run
  parameter.key AS name,       -- dotted: 'reallocation.tau'
  parameter.value AS value,    -- number or text; true is 1
  parameter.type AS type       -- 'integer', 'real', 'text', 'true', 'false', 'array', ...
FROM job, json_each(job.parameters) AS parameter;
