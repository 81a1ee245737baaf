-- The sensitivities behind each allocation: the expected damage of every quantizer at every candidate. Follows resumed attempts.
CREATE VIEW sensitivities AS
SELECT
  job.key AS key,                  -- the run
  json_extract(job.parameters, '$.method') AS method,            -- its method
  json_extract(job.parameters, '$.sensitivity') AS sensitivity,  -- the metric
  json_extract(job.parameters, '$.seed') AS seed,                -- its seed
  attempt.number AS attempt,       -- of the run, from 1
  allocation.step AS step,         -- [optimizer steps] done
  sensitivity.position AS position,  -- place in the network, from 0
  quantizer.name AS quantizer,     -- 'features.1.conv.0.0.weight'
  quantizer.kind AS kind,          -- weight or activation
  sensitivity.bits AS bits,        -- [bits] candidate bit-width
  sensitivity.value AS value,      -- [unit] expected damage at it
  allocation.cost_unit AS unit,    -- 'nats' or the metric's own
  sensitivity.bits = quantizer_bits.bits AS chosen,  -- 1: the bit-width that it got
  quantizer_bits.range AS range    -- [the tensor's unit] width of the grid
FROM job
JOIN attempt_chain ON attempt_chain.attempt_id = job.attempt_id
JOIN attempt ON attempt.id = attempt_chain.ancestor_id
JOIN allocation ON {allocation_stands}
JOIN sensitivity ON sensitivity.allocation_id = allocation.id
JOIN quantizer_bits
  ON quantizer_bits.allocation_id = allocation.id AND quantizer_bits.position = sensitivity.position
LEFT JOIN quantizer
  ON quantizer.inventory_id = attempt.inventory_id AND quantizer.position = sensitivity.position;
