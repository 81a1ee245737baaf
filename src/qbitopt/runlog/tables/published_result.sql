-- Published numbers, each with its source.
CREATE TABLE published_result (
  id INTEGER PRIMARY KEY,      -- internal number
  model TEXT NOT NULL,         -- network, as the source names it
  method TEXT NOT NULL,        -- method, as the source names it
  kind TEXT NOT NULL,          -- 'fixed' or 'mixed' precision
  weight_bits TEXT NOT NULL,   -- bits of the weights, as the source gives them
  activation_bits TEXT NOT NULL,  -- bits of the activations, as the source gives them
  budget_constraint TEXT NOT NULL,  -- what was constrained, and exceptions
  fp32_top1 REAL,              -- [percent] the source's own full-precision network; NULL: not given
  top1 REAL NOT NULL,          -- [percent] ImageNet unless the constraint says otherwise
  source_title TEXT NOT NULL CHECK (length(trim(source_title)) > 0),  -- title of the source
  source_url TEXT NOT NULL CHECK (length(trim(source_url)) > 0),      -- link to it
  quoted_from TEXT NOT NULL    -- own run of the source, or the source that it quotes
) STRICT;
