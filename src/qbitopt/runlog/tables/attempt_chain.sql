-- An attempt and the attempts that it continues, whose points count up to a step.
CREATE TABLE attempt_chain (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),   -- the attempt
  ancestor_id INTEGER NOT NULL REFERENCES attempt (id),  -- itself or one before it
  last_step INTEGER NOT NULL,  -- [optimizer steps] points of the ancestor beyond this step are hidden
  PRIMARY KEY (attempt_id, ancestor_id)
) STRICT, WITHOUT ROWID;
