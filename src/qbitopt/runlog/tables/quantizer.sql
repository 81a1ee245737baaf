-- One tensor's quantizer in an inventory.
CREATE TABLE quantizer (
  inventory_id INTEGER NOT NULL REFERENCES inventory (id),  -- the list
  position INTEGER NOT NULL,   -- place in the network, from 0
  name TEXT NOT NULL,          -- 'features.1.conv.0.0.weight'
  kind TEXT NOT NULL CHECK (kind IN ('weight', 'activation')),  -- weight or activation
  elements INTEGER NOT NULL,   -- [elements] of the tensor; activations: per sample
  macs INTEGER NOT NULL,       -- [multiply-accumulates] of the layer it feeds, per sample
  counted INTEGER NOT NULL CHECK (counted IN (0, 1)),  -- 1: enters the budget's average
  pinned_bits INTEGER,         -- [bits] that no method may change; NULL: free
  share INTEGER,               -- its weight in the averages of budgets, as reported by the worker; NULL: not reported by an older worker
  PRIMARY KEY (inventory_id, position)
) STRICT, WITHOUT ROWID;
