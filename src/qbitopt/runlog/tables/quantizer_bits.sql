-- What an allocation gave each quantiser, and what it knew of it.
CREATE TABLE quantizer_bits (
  allocation_id INTEGER NOT NULL REFERENCES allocation (id),  -- the choice
  position INTEGER NOT NULL,   -- of the quantiser in the inventory
  bits INTEGER NOT NULL,       -- [bits] bit-width from this step on
  sensitivity REAL,            -- [nats per squared unit] trace of the Fisher information (FIT), or the metric's own
  range REAL,                  -- [the tensor's unit] width of the grid
  PRIMARY KEY (allocation_id, position)
) STRICT, WITHOUT ROWID;
