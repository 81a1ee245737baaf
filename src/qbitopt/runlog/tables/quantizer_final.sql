-- The bits of a finished attempt.
CREATE TABLE quantizer_final (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose result it is
  position INTEGER NOT NULL,   -- of the quantizer in the inventory
  bits INTEGER NOT NULL,       -- [bits] final bit-width
  PRIMARY KEY (attempt_id, position)
) STRICT, WITHOUT ROWID;
