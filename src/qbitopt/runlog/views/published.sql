-- Published numbers, each with its source.
CREATE VIEW published AS
SELECT
  model AS model,                      -- network, as the source names it
  method AS method,                    -- method, as the source names it
  kind AS kind,                        -- 'fixed' or 'mixed' precision
  weight_bits AS weight_bits,          -- bits of the weights, as the source gives them
  activation_bits AS activation_bits,  -- bits of the activations, as the source gives them
  budget_constraint AS budget_constraint,  -- what was constrained, and exceptions
  fp32_top1 AS fp32_top1,              -- [percent] the source's own full-precision network; NULL: not given
  top1 AS top1,                        -- [percent] of the quantized network
  round(top1 - fp32_top1, 6) AS top1_minus_fp32,  -- [percentage points] what quantization cost; NULL: not given
  source_title AS source_title,        -- title of the source
  source_url AS source_url,            -- link to it
  quoted_from AS quoted_from           -- own run of the source, or the source that it quotes
FROM published_result;
