-- The parameters of jobs, by name, as the manifests of their parts declare them.
CREATE TABLE parameter_definition (
  name TEXT PRIMARY KEY,      -- 'budget.average_bits'
  unit TEXT NOT NULL,         -- of the values; empty: none
  description TEXT NOT NULL   -- meaning
) STRICT, WITHOUT ROWID;
