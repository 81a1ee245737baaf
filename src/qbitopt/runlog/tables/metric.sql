-- Final numbers of a finished attempt.
CREATE TABLE metric (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),          -- whose result it is
  metric_id INTEGER NOT NULL REFERENCES metric_definition (id), -- what was measured
  value REAL NOT NULL,      -- in the metric's unit; finite
  PRIMARY KEY (attempt_id, metric_id)
) STRICT, WITHOUT ROWID;
