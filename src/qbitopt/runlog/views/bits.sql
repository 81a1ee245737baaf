-- Final bits of every quantizer of every finished run, with the terms of its budgets on average bits: for weights and
-- activations alike, sum(share * bits) <= limit_bits * sum(share) over the counted rows of a key and kind.
CREATE VIEW bits AS
SELECT
  job.key AS key,                    -- the run
  json_extract(job.parameters, '$.method') AS method,  -- its method
  json_extract(job.parameters, '$.seed') AS seed,      -- its seed
  quantizer.position AS position,    -- place in the network, from 0
  quantizer.name AS quantizer,       -- 'features.1.conv.0.0.weight'
  quantizer.kind AS kind,            -- weight or activation
  quantizer.elements AS elements,    -- [elements] of the tensor; activations: per sample
  quantizer.macs AS macs,            -- [multiply-accumulates] of the layer it feeds, per sample
  quantizer.share AS share,          -- its weight in the averages of budgets
  quantizer.counted AS counted,      -- 1: enters the budget's average
  quantizer.pinned_bits AS pinned_bits,  -- [bits] that no method may change; NULL: free
  quantizer_final.bits AS bits,      -- [bits] final bit-width
  budget_result.limit_value AS limit_bits,       -- [bits] budget on the average of its kind; NULL: none
  joint_budget.limit_value AS joint_limit_bits   -- [bits] budget on the average of weights and activations together; NULL: none
FROM job
JOIN attempt ON attempt.id = job.attempt_id
JOIN quantizer_final ON quantizer_final.attempt_id = attempt.id
JOIN quantizer ON quantizer.inventory_id = attempt.inventory_id AND quantizer.position = quantizer_final.position
LEFT JOIN budget_result ON budget_result.attempt_id = attempt.id AND budget_result.budget = quantizer.kind
LEFT JOIN budget_result AS joint_budget ON joint_budget.attempt_id = attempt.id AND joint_budget.budget = 'joint';
