-- The sensitivities of an allocation: the expected damage of every quantizer at every candidate.
CREATE TABLE sensitivity (
  allocation_id INTEGER NOT NULL REFERENCES allocation (id),  -- the choice
  position INTEGER NOT NULL,   -- of the quantizer in the inventory
  bits INTEGER NOT NULL,       -- [bits] candidate bit-width
  value REAL NOT NULL,         -- [allocation.cost_unit] expected damage at it; finite
  PRIMARY KEY (allocation_id, position, bits)
) STRICT, WITHOUT ROWID;
