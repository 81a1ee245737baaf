-- How an allocation stands against a budget.
CREATE TABLE allocation_budget (
  allocation_id INTEGER NOT NULL REFERENCES allocation (id),  -- the choice
  budget TEXT NOT NULL,          -- 'weight', 'activation' or 'joint'
  limit_bits REAL NOT NULL,      -- [bits] allowed average over the counted quantisers
  achieved_bits REAL NOT NULL,   -- [bits] average over the counted quantisers
  PRIMARY KEY (allocation_id, budget)
) STRICT, WITHOUT ROWID;
