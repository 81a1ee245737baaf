-- How the final bits of an attempt stand against a budget; recomputed by the harness, never by the method.
CREATE TABLE budget_result (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose result it is
  budget TEXT NOT NULL,       -- 'weight', 'activation' or 'joint'
  limit_bits REAL,            -- [bits] allowed average over the counted quantisers; NULL: no limit
  achieved_bits REAL,         -- [bits] average over the counted quantisers
  all_tensor_bits REAL,       -- [bits] average over all quantised tensors, pinned ones included
  PRIMARY KEY (attempt_id, budget)
) STRICT, WITHOUT ROWID;
