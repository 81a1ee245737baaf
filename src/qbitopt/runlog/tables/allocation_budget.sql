-- How an allocation stands against a budget.
CREATE TABLE allocation_budget (
  allocation_id INTEGER NOT NULL REFERENCES allocation (id),  -- the choice
  budget TEXT NOT NULL,          -- the kind: 'weight', 'activation', 'joint', 'weight_bytes' or 'bops'
  limit_value REAL NOT NULL,     -- [bits, bytes or bit operations] allowed
  achieved REAL NOT NULL,        -- [bits, bytes or bit operations] of what the budget counts
  PRIMARY KEY (allocation_id, budget)
) STRICT, WITHOUT ROWID;
