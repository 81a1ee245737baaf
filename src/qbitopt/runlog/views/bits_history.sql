-- Bits of every quantizer from each reallocation on (step 0: the start). Follows resumed attempts like `curves`.
CREATE VIEW bits_history AS
SELECT
  job.key AS key,                  -- the run
  json_extract(job.parameters, '$.method') AS method,  -- its method
  json_extract(job.parameters, '$.seed') AS seed,      -- its seed
  allocation.step AS step,         -- [optimizer steps] done when the bits were chosen
  quantizer_bits.position AS position,  -- place in the network, from 0
  quantizer.name AS quantizer,     -- 'features.1.conv.0.0.weight'
  quantizer.kind AS kind,          -- weight or activation
  quantizer_bits.bits AS bits      -- [bits] bit-width from this step on
FROM job
JOIN attempt_chain ON attempt_chain.attempt_id = job.attempt_id
JOIN attempt ON attempt.id = attempt_chain.ancestor_id
JOIN allocation ON {allocation_stands}
JOIN quantizer_bits ON quantizer_bits.allocation_id = allocation.id
LEFT JOIN quantizer ON quantizer.inventory_id = attempt.inventory_id AND quantizer.position = quantizer_bits.position;
