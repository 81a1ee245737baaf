-- Every allocation: its objective, its distance from the bound, and its time. Follows resumed attempts.
CREATE VIEW allocations AS
SELECT
  job.key AS key,                      -- the run
  json_extract(job.parameters, '$.method') AS method,  -- its method
  json_extract(job.parameters, '$.seed') AS seed,      -- its seed
  allocation.step AS step,             -- [optimizer steps] done
  allocation.solver AS solver,         -- name of the solver; empty for a method without one
  allocation.status AS status,         -- optimal, feasible, initial or over_budget
  allocation.objective AS objective,   -- [cost_unit] predicted rise of the loss
  allocation.bound AS bound,           -- [cost_unit] no allocation within the budget has a lower objective; NULL: not known
  allocation.gap AS gap,               -- [fraction] (objective - bound) / objective
  allocation.cost_unit AS cost_unit,   -- 'nats' or the metric's own
  allocation.solve_microseconds AS solve_microseconds,    -- [microseconds] of the solver
  {allocation_budgets}
  allocation.sensitivity_seconds AS sensitivity_seconds   -- [seconds] of the sensitivities
FROM job
JOIN attempt_chain ON attempt_chain.attempt_id = job.attempt_id
JOIN allocation ON {allocation_stands}
{allocation_budget_joins};
