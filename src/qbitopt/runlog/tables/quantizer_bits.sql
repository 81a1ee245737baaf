-- The bits that an allocation gave each quantizer, with its sensitivity and range.
CREATE TABLE quantizer_bits (
  allocation_id INTEGER NOT NULL REFERENCES allocation (id),  -- the choice
  position INTEGER NOT NULL,   -- of the quantizer in the inventory
  bits INTEGER NOT NULL,       -- [bits] bit-width from this step on
  sensitivity REAL,            -- [allocation.cost_unit] cost at these bits; NULL: the method has none
  range REAL,                  -- [the tensor's unit] width of the grid
  PRIMARY KEY (allocation_id, position)
) STRICT, WITHOUT ROWID;
