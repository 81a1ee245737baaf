-- A choice of bits during a run; step 0 is the start.
CREATE TABLE allocation (
  id INTEGER PRIMARY KEY,        -- internal number
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose choice it is
  step INTEGER NOT NULL,         -- [optimizer steps] done when the bits were chosen
  solver TEXT NOT NULL,          -- who chose; empty for a method without a solver
  status TEXT NOT NULL,          -- 'optimal', 'feasible', 'initial' or 'over_budget'
  objective REAL,                -- [cost_unit] predicted rise of the loss
  bound REAL,                    -- [cost_unit] no allocation within the budget is below; NULL: not known
  gap REAL,                      -- [fraction] (objective - bound) / objective
  solve_microseconds REAL,       -- [microseconds] of the solver
  sensitivity_seconds REAL,      -- [seconds] of the sensitivities it worked on
  cost_unit TEXT NOT NULL,       -- 'nats' or the metric's own; of the costs and the objective
  UNIQUE (attempt_id, step)
) STRICT;
