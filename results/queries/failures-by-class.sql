-- What fails, how often, and has it been made good since?
SELECT
  error_class,
  method,
  count(*) AS attempts,
  count(DISTINCT key) AS jobs,
  count(DISTINCT CASE WHEN job_state = 'finished' THEN key END) AS finished_since,
  max(error_text) AS for_example
FROM failures
GROUP BY error_class, method
ORDER BY attempts DESC, error_class, method;
