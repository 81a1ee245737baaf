-- Points of curves, clustered as they are read.
CREATE TABLE metric_point (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),          -- whose point it is
  metric_id INTEGER NOT NULL REFERENCES metric_definition (id), -- what was measured
  split INTEGER NOT NULL CHECK (split IN (0, 1, 2)),  -- 0: training images, 1: validation, 2: test
  step INTEGER NOT NULL,    -- [optimizer steps] done when it was measured
  value REAL NOT NULL,      -- in the metric's unit; finite
  PRIMARY KEY (attempt_id, metric_id, split, step)
) STRICT, WITHOUT ROWID;
