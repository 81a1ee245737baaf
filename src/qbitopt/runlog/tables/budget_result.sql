-- The final bits of an attempt compared with each kind of budget; computed by the harness, never by the method.
CREATE TABLE budget_result (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose result it is
  budget TEXT NOT NULL,       -- the kind: 'weight', 'activation', 'joint', 'weight_bytes' or 'bops'
  limit_value REAL,           -- [bits, bytes or bit operations] allowed; NULL: no limit
  achieved REAL,              -- [bits, bytes or bit operations] of what the budget counts
  all_tensor_bits REAL,       -- [bits] average over all quantized tensors, pinned ones included
  PRIMARY KEY (attempt_id, budget)
) STRICT, WITHOUT ROWID;
