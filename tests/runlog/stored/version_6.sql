-- A database of schema version 6: five jobs, one of them failed. Views and documentation are made anew when it is opened.
PRAGMA application_id = 1363300176;
PRAGMA user_version = 6;
CREATE TABLE allocation (
  id INTEGER PRIMARY KEY,        -- internal number
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose choice it is
  step INTEGER NOT NULL,         -- [optimiser steps] done when the bits were chosen
  solver TEXT NOT NULL,          -- who chose; empty for a method without a solver
  status TEXT NOT NULL,          -- 'optimal', 'feasible' or 'initial'
  objective REAL,                -- [cost_unit] predicted rise of the loss
  bound REAL,                    -- [cost_unit] no allocation within the budget is below
  gap REAL,                      -- [fraction] (objective - bound) / objective
  solve_microseconds REAL,       -- [microseconds] of the solver
  sensitivity_seconds REAL,      -- [seconds] of the sensitivities it worked on
  cost_unit TEXT NOT NULL,       -- 'nats' or the metric's own; of the costs and the objective
  UNIQUE (attempt_id, step)
) STRICT;
INSERT INTO allocation VALUES (1,4,0,'','initial',0.0,0.0,0.0,0.0,0.0,'');
CREATE TABLE allocation_budget (
  allocation_id INTEGER NOT NULL REFERENCES allocation (id),  -- the choice
  budget TEXT NOT NULL,          -- the kind: 'weight', 'activation', 'joint', 'weight_bytes' or 'bops'
  limit_value REAL NOT NULL,     -- [bits, bytes or bit operations] allowed
  achieved REAL NOT NULL,        -- [bits, bytes or bit operations] of what the budget counts
  PRIMARY KEY (allocation_id, budget)
) STRICT, WITHOUT ROWID;
INSERT INTO allocation_budget VALUES (1,'activation',3.0,3.0);
INSERT INTO allocation_budget VALUES (1,'weight',3.0,3.0);
CREATE TABLE artifact (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose file it is
  name TEXT NOT NULL,          -- 'model', 'allocation'
  path TEXT NOT NULL,          -- relative to the attempt's folder
  sha256 TEXT NOT NULL,        -- of its content
  bytes INTEGER NOT NULL,      -- [bytes] its size
  PRIMARY KEY (attempt_id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO artifact VALUES (1,'model','model','d99e65b318edb3c0a17c0fb521a9cf6049d0bb019da5e993975e6a84edd1e84e',75);
INSERT INTO artifact VALUES (2,'model','model','8c632c6fbdebffc31134d0255b446d5084149fe3850b5527e4f2f2273c578d61',75);
INSERT INTO artifact VALUES (3,'model','model','e528e969b2641d36a9935c8aaec9c37cc5ab6d75404a64c44fb23070bc0861a6',75);
INSERT INTO artifact VALUES (4,'allocation','allocation','fa7353ce3848e40e6a48d1d110935c90c9f4c93a7d51c6b7712a2de25f1236ba',17);
INSERT INTO artifact VALUES (4,'model','model','fb9b9d1b3e69abd7889ccaa395bc72133bab5a59bfb90bebd23927536ad8d8b6',75);
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,        -- internal number
  job_id INTEGER NOT NULL REFERENCES job (id),  -- what is executed
  number INTEGER NOT NULL CHECK (number >= 1),  -- 1 for a job's first execution
  state TEXT NOT NULL CHECK (state IN ('running', 'interrupted', 'finished', 'failed')),  -- running, interrupted, finished or failed
  folder TEXT NOT NULL,          -- absolute path of its files; relative ones start at the database's folder
  begun_at REAL NOT NULL,        -- [unix seconds] when the driver recorded it
  started_at REAL,               -- [unix seconds] first event
  ended_at REAL,                 -- [unix seconds] last event, or when the driver saw it end
  last_event INTEGER NOT NULL DEFAULT 0,        -- events up to this number are stored
  host TEXT,                     -- name of the machine
  pid INTEGER,                   -- process of the worker
  slurm_id TEXT,                 -- job of the cluster, if there is one
  device TEXT,                   -- 'cpu', 'cuda:0'
  threads INTEGER,               -- [threads] of this job
  environment_id INTEGER REFERENCES environment (id),  -- hardware and software
  inventory_id INTEGER REFERENCES inventory (id),      -- its quantisers
  resumed_from INTEGER REFERENCES attempt (id),        -- the attempt whose checkpoint it went on from
  resumed_from_step INTEGER,     -- [optimiser steps] of that checkpoint
  steps INTEGER,                 -- [optimiser steps] of the whole job, all its attempts together
  seconds REAL,                  -- [seconds] of the whole job, all its attempts together
  train_seconds REAL,            -- [seconds] of them spent in training steps
  reallocation_seconds REAL,     -- [seconds] of them spent choosing bits anew; the first choice is left out
  peak_memory_bytes INTEGER,     -- [bytes] largest resident memory
  weight_bytes INTEGER,          -- [bytes] all quantised weights at their final bits
  budget_met INTEGER CHECK (budget_met IN (0, 1)),     -- 1: the final bits keep every budget
  exit_code INTEGER,             -- of the worker, if it ended with the attempt
  signal INTEGER,                -- signal that ended the worker
  error_class TEXT,              -- group of failures: 'budget_exceeded', 'lost', 'non_finite', ...
  error_text TEXT,               -- what the failure says
  heard_at REAL,                 -- [unix seconds] latest event that was stored: the heartbeat of a running attempt
  UNIQUE (job_id, number)
) STRICT;
INSERT INTO attempt VALUES (1,1,1,'finished','qbitopt.runs/e45d485954/1',1795679103.21764,1795679103.229078,1795679103.2312765,9,'localhost',4473,NULL,'cpu',1,1,NULL,NULL,0,3,0.01,0.008,0.0,1048576,0,1,0,NULL,NULL,NULL,1795679103.2312765);
INSERT INTO attempt VALUES (2,2,1,'finished','qbitopt.runs/a0c6ff40f3/1',1795679103.2400758,1795679103.2438748,1795679103.2440763,9,'localhost',4473,NULL,'cpu',1,1,NULL,NULL,0,3,0.01,0.008,0.0,1048576,0,1,0,NULL,NULL,NULL,1795679103.2440763);
INSERT INTO attempt VALUES (3,3,1,'finished','qbitopt.runs/94b3f70949/1',1795679103.2445707,1795679103.2599037,1795679103.2620795,9,'localhost',4474,NULL,'cpu',1,1,NULL,NULL,0,3,0.01,0.008,0.0,1048576,0,1,0,NULL,NULL,NULL,1795679103.2620795);
INSERT INTO attempt VALUES (4,4,1,'finished','qbitopt.runs/6e9508a401/1',1795679103.252909,1795679103.2563107,1795679103.2565858,12,'localhost',4473,NULL,'cpu',1,1,1,NULL,0,3,0.01,0.008,0.0,1048576,1872,1,0,NULL,NULL,NULL,1795679103.2565858);
INSERT INTO attempt VALUES (5,5,1,'failed','qbitopt.runs/ca600c61fd/1',1795679103.272047,1795679103.2759137,1795679103.2761064,23,'localhost',4473,NULL,'cpu',1,1,1,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,'non_finite','the loss is nan',1795679103.2761064);
CREATE TABLE attempt_chain (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),   -- the attempt
  ancestor_id INTEGER NOT NULL REFERENCES attempt (id),  -- itself or one before it
  last_step INTEGER NOT NULL,  -- [optimiser steps] points of the ancestor beyond this step are hidden
  PRIMARY KEY (attempt_id, ancestor_id)
) STRICT, WITHOUT ROWID;
INSERT INTO attempt_chain VALUES (1,1,9223372036854775807);
INSERT INTO attempt_chain VALUES (2,2,9223372036854775807);
INSERT INTO attempt_chain VALUES (3,3,9223372036854775807);
INSERT INTO attempt_chain VALUES (4,4,9223372036854775807);
INSERT INTO attempt_chain VALUES (5,5,9223372036854775807);
CREATE TABLE budget_result (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose result it is
  budget TEXT NOT NULL,       -- the kind: 'weight', 'activation', 'joint', 'weight_bytes' or 'bops'
  limit_value REAL,           -- [bits, bytes or bit operations] allowed; NULL: no limit
  achieved REAL,              -- [bits, bytes or bit operations] of what the budget counts
  all_tensor_bits REAL,       -- [bits] average over all quantised tensors, pinned ones included
  PRIMARY KEY (attempt_id, budget)
) STRICT, WITHOUT ROWID;
INSERT INTO budget_result VALUES (4,'activation',3.0,3.0,3.8);
INSERT INTO budget_result VALUES (4,'bops',NULL,8128512.0,NULL);
INSERT INTO budget_result VALUES (4,'joint',NULL,3.0,NULL);
INSERT INTO budget_result VALUES (4,'weight',3.0,3.0,3.12);
INSERT INTO budget_result VALUES (4,'weight_bytes',NULL,1728.0,NULL);
CREATE TABLE environment (
  id INTEGER PRIMARY KEY,     -- internal number
  facts TEXT NOT NULL UNIQUE CHECK (json_valid(facts)),  -- JSON object: name -> text, everything that was reported
  cpu TEXT,                   -- the processor's model
  os TEXT,                    -- operating system
  libtorch TEXT,              -- version of LibTorch
  compiler TEXT,              -- compiler and its version
  commit_hash TEXT,           -- version of the code; ends in '-dirty' with changes that were not committed
  library_sha256 TEXT         -- hash of the library that trained
) STRICT;
INSERT INTO environment VALUES (1,'{"compiler":"none"}',NULL,NULL,NULL,'none',NULL,NULL);
CREATE TABLE event (
  id INTEGER PRIMARY KEY,      -- internal number, ascending with time
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- to whom
  number INTEGER NOT NULL,     -- of the event in the attempt; 0: told by the driver
  unix_seconds REAL NOT NULL,  -- [unix seconds] when
  type TEXT NOT NULL,          -- 'note', 'non_finite', 'started', 'interrupted', 'finished', 'failed', 'missing'
  level TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),  -- info, warning or error
  step INTEGER,                -- [optimiser steps] if it belongs to one
  text TEXT NOT NULL           -- in words
) STRICT;
INSERT INTO event VALUES (1,1,1,1795679103.229078,'started','info',0,'started');
INSERT INTO event VALUES (2,1,9,1795679103.2312765,'finished','info',3,'finished');
INSERT INTO event VALUES (3,2,1,1795679103.2438748,'started','info',0,'started');
INSERT INTO event VALUES (4,2,9,1795679103.2440763,'finished','info',3,'finished');
INSERT INTO event VALUES (5,4,1,1795679103.2563107,'started','info',0,'started');
INSERT INTO event VALUES (6,4,12,1795679103.2565858,'finished','info',3,'finished');
INSERT INTO event VALUES (7,5,1,1795679103.2759137,'started','info',0,'started');
INSERT INTO event VALUES (8,5,23,1795679103.2761064,'failed','error',NULL,'non_finite: the loss is nan');
INSERT INTO event VALUES (9,3,1,1795679103.2599037,'started','info',0,'started');
INSERT INTO event VALUES (10,3,9,1795679103.2620795,'finished','info',3,'finished');
CREATE TABLE inventory (
  id INTEGER PRIMARY KEY,       -- internal number
  sha256 TEXT NOT NULL UNIQUE   -- of the list
) STRICT;
INSERT INTO inventory VALUES (1,'f11b1184162be14d96648baea2618709b8c5d42e6cb66609b7a35cdfcb6e54f3');
CREATE TABLE job (
  id INTEGER PRIMARY KEY,            -- internal number
  key TEXT NOT NULL UNIQUE CHECK (length(key) > 0),  -- identity: sha256, 64 hexadecimal digits
  config_key TEXT NOT NULL,          -- the same without seeds: replicates share it
  parameters TEXT NOT NULL CHECK (json_valid(parameters)),  -- JSON object, dotted name -> value
  versions TEXT NOT NULL CHECK (json_valid(versions)),      -- JSON object, part -> manifest version
  guarantees_budget INTEGER NOT NULL CHECK (guarantees_budget IN (0, 1)),  -- 1: above its budget it fails
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'running', 'interrupted', 'finished', 'failed')),  -- new, running, interrupted, finished or failed
  attempt_id INTEGER REFERENCES attempt (id),  -- the attempt that counts: the last one
  recorded_at REAL NOT NULL          -- [unix seconds] when a sweep first named it
) STRICT;
INSERT INTO job VALUES (1,'e45d485954792c6801d4ec78fa0e2814a9f58d0a6c26bf1174db028d517e3a46','127791a06158a7139fc10a30c17c5d9bc53f48e3065b90744d77a74dc4d76080','{"data.augment":true,"data.classes":10,"data.generator_seed":0,"data.image_channels":1,"data.image_size":28,"data.name":"synthetic","data.noise":0.5,"data.test_images":500,"data.threads":1,"data.train_images":2000,"data.validation_images":500,"device":"cpu","method":"fp32","model":"resnet8","pretraining.batch_size":64,"pretraining.epochs":0,"pretraining.learning_rate":0.05,"pretraining.momentum":0.9,"pretraining.nesterov":false,"pretraining.schedule":"cosine","pretraining.steps":0,"pretraining.threads":1,"pretraining.validate_every":0,"pretraining.warmup_steps":0,"pretraining.weight_decay":0.0001,"seed":0}','{"data:synthetic":1,"group:job":1,"group:optimization":1,"method:fp32":1,"model:resnet8":1}',1,'finished',1,1795679103.1875029);
INSERT INTO job VALUES (2,'a0c6ff40f31b2576991a6dd2015819ea4bc55a195b2bfe9f1a3a2f7c8516c552','eef25709e0c09c5d7eab5ff40bb9adfdc26e0ca48f7e68b601b716bb2851e24e','{"batch_norm.freeze_at":0.7,"batch_norm.reestimate_batches":50,"data.augment":true,"data.classes":10,"data.generator_seed":0,"data.image_channels":1,"data.image_size":28,"data.name":"synthetic","data.noise":0.5,"data.test_images":500,"data.threads":1,"data.train_images":2000,"data.validation_images":500,"device":"cpu","method":"fp32_continued","model":"resnet8","seed":0,"training.batch_size":64,"training.epochs":0,"training.learning_rate":0.05,"training.momentum":0.9,"training.nesterov":false,"training.schedule":"cosine","training.steps":0,"training.threads":1,"training.validate_every":0,"training.warmup_steps":0,"training.weight_decay":0.0001}','{"data:synthetic":1,"group:batch_norm":1,"group:job":1,"group:optimization":1,"method:fp32_continued":1,"model:resnet8":1}',1,'finished',2,1795679103.1875029);
INSERT INTO job VALUES (3,'94b3f709498a0b7cd2f417ea989d75141c5447f65011c9d7f2fa531093bda55f','eef25709e0c09c5d7eab5ff40bb9adfdc26e0ca48f7e68b601b716bb2851e24e','{"batch_norm.freeze_at":0.7,"batch_norm.reestimate_batches":50,"data.augment":true,"data.classes":10,"data.generator_seed":0,"data.image_channels":1,"data.image_size":28,"data.name":"synthetic","data.noise":0.5,"data.test_images":500,"data.threads":1,"data.train_images":2000,"data.validation_images":500,"device":"cpu","method":"fp32_continued","model":"resnet8","seed":1,"training.batch_size":64,"training.epochs":0,"training.learning_rate":0.05,"training.momentum":0.9,"training.nesterov":false,"training.schedule":"cosine","training.steps":0,"training.threads":1,"training.validate_every":0,"training.warmup_steps":0,"training.weight_decay":0.0001}','{"data:synthetic":1,"group:batch_norm":1,"group:job":1,"group:optimization":1,"method:fp32_continued":1,"model:resnet8":1}',1,'finished',3,1795679103.1875029);
INSERT INTO job VALUES (4,'6e9508a401eba87993cb5790d4bab779879f5adee96d916deec7cd90a2d37b8f','db88ed2c22c0acea377be15ff01bf0c47dea5aa9ff617d85e6b3e030ecec1d68','{"batch_norm.freeze_at":0.7,"batch_norm.reestimate_batches":50,"budget.average_bits":3,"budget.weighting":"elements","calibration.batch_size":64,"calibration.batches":8,"data.augment":true,"data.classes":10,"data.generator_seed":0,"data.image_channels":1,"data.image_size":28,"data.name":"synthetic","data.noise":0.5,"data.test_images":500,"data.threads":1,"data.train_images":2000,"data.validation_images":500,"device":"cpu","method":"fixed_precision","model":"resnet8","quantizers.candidate_bits":[2,3,4,5,6,7,8],"quantizers.count_first_last":false,"quantizers.first_last_bits":8,"quantizers.lsq_grad_n":"per_sample","quantizers.per_channel_weights":false,"quantizers.range_init":"mse","quantizers.signed_grid":"full","ranges.learning_rate":0.01,"ranges.momentum":0.9,"ranges.optimizer":"sgd","seed":0,"training.batch_size":64,"training.epochs":0,"training.learning_rate":0.05,"training.momentum":0.9,"training.nesterov":false,"training.schedule":"cosine","training.steps":0,"training.threads":1,"training.validate_every":0,"training.warmup_steps":0,"training.weight_decay":0.0001}','{"data:synthetic":1,"group:batch_norm":1,"group:budget":1,"group:calibration":1,"group:job":1,"group:optimization":1,"group:quantizers":1,"group:ranges":1,"method:fixed_precision":1,"model:resnet8":1}',1,'finished',4,1795679103.1875029);
INSERT INTO job VALUES (5,'ca600c61fdf59915b575f2b6ca5284efb6badd2e6d88ded12e7049b52a1f890b','db88ed2c22c0acea377be15ff01bf0c47dea5aa9ff617d85e6b3e030ecec1d68','{"batch_norm.freeze_at":0.7,"batch_norm.reestimate_batches":50,"budget.average_bits":3,"budget.weighting":"elements","calibration.batch_size":64,"calibration.batches":8,"data.augment":true,"data.classes":10,"data.generator_seed":0,"data.image_channels":1,"data.image_size":28,"data.name":"synthetic","data.noise":0.5,"data.test_images":500,"data.threads":1,"data.train_images":2000,"data.validation_images":500,"device":"cpu","method":"fixed_precision","model":"resnet8","quantizers.candidate_bits":[2,3,4,5,6,7,8],"quantizers.count_first_last":false,"quantizers.first_last_bits":8,"quantizers.lsq_grad_n":"per_sample","quantizers.per_channel_weights":false,"quantizers.range_init":"mse","quantizers.signed_grid":"full","ranges.learning_rate":0.01,"ranges.momentum":0.9,"ranges.optimizer":"sgd","seed":1,"training.batch_size":64,"training.epochs":0,"training.learning_rate":0.05,"training.momentum":0.9,"training.nesterov":false,"training.schedule":"cosine","training.steps":0,"training.threads":1,"training.validate_every":0,"training.warmup_steps":0,"training.weight_decay":0.0001}','{"data:synthetic":1,"group:batch_norm":1,"group:budget":1,"group:calibration":1,"group:job":1,"group:optimization":1,"group:quantizers":1,"group:ranges":1,"method:fixed_precision":1,"model:resnet8":1}',1,'failed',5,1795679103.1875029);
CREATE TABLE job_dependency (
  job_id INTEGER NOT NULL REFERENCES job (id),         -- the job that needs
  need TEXT NOT NULL,                                  -- name of the need: 'fp32_checkpoint'
  needed_job_id INTEGER NOT NULL REFERENCES job (id),  -- the job that is needed
  artifact TEXT NOT NULL,                              -- which of its files is handed over: 'model'
  PRIMARY KEY (job_id, need)
) STRICT, WITHOUT ROWID;
INSERT INTO job_dependency VALUES (2,'fp32_checkpoint',1,'model');
INSERT INTO job_dependency VALUES (3,'fp32_checkpoint',1,'model');
INSERT INTO job_dependency VALUES (4,'fp32_checkpoint',1,'model');
INSERT INTO job_dependency VALUES (5,'fp32_checkpoint',1,'model');
CREATE TABLE metric (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),          -- whose result it is
  metric_id INTEGER NOT NULL REFERENCES metric_definition (id), -- what was measured
  value REAL NOT NULL,      -- in the metric's unit; finite
  PRIMARY KEY (attempt_id, metric_id)
) STRICT, WITHOUT ROWID;
INSERT INTO metric VALUES (1,1,88.21929081339366);
INSERT INTO metric VALUES (1,2,0.4);
INSERT INTO metric VALUES (1,3,88.31929081339365);
INSERT INTO metric VALUES (1,4,0.39);
INSERT INTO metric VALUES (2,1,88.1105986902997);
INSERT INTO metric VALUES (2,2,0.4);
INSERT INTO metric VALUES (2,3,88.21059869029969);
INSERT INTO metric VALUES (2,4,0.39);
INSERT INTO metric VALUES (3,1,88.04769877237632);
INSERT INTO metric VALUES (3,2,0.4);
INSERT INTO metric VALUES (3,3,88.14769877237632);
INSERT INTO metric VALUES (3,4,0.39);
INSERT INTO metric VALUES (4,1,86.65965830200241);
INSERT INTO metric VALUES (4,2,0.4);
INSERT INTO metric VALUES (4,3,86.7596583020024);
INSERT INTO metric VALUES (4,4,0.39);
INSERT INTO metric VALUES (4,5,86.65965830200241);
CREATE TABLE metric_definition (
  id INTEGER PRIMARY KEY,     -- internal number
  name TEXT NOT NULL UNIQUE,  -- 'top1', 'loss'
  unit TEXT NOT NULL,         -- of the values; empty: none
  goal TEXT CHECK (goal IN ('max', 'min')),  -- which is better; NULL: neither
  description TEXT NOT NULL,  -- meaning
  is_result INTEGER NOT NULL CHECK (is_result IN (0, 1))  -- 1: a final number, and so a column of `runs`
) STRICT;
INSERT INTO metric_definition VALUES (1,'top1','percent','max','images whose most likely class is the right one',1);
INSERT INTO metric_definition VALUES (2,'loss','nats','min','cross-entropy',1);
INSERT INTO metric_definition VALUES (3,'validation_top1','percent','max','top1 on the held-out training images',1);
INSERT INTO metric_definition VALUES (4,'validation_loss','nats','min','loss on the held-out training images',1);
INSERT INTO metric_definition VALUES (5,'validation_top1_batch_mode','percent','max','validation_top1 with batch norm working on the batch''s own statistics',1);
INSERT INTO metric_definition VALUES (6,'learning_rate','',NULL,'of the weights',0);
CREATE TABLE metric_point (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),          -- whose point it is
  metric_id INTEGER NOT NULL REFERENCES metric_definition (id), -- what was measured
  split INTEGER NOT NULL CHECK (split IN (0, 1, 2)),  -- 0: training images, 1: validation, 2: test
  step INTEGER NOT NULL,    -- [optimiser steps] done when it was measured
  value REAL NOT NULL,      -- in the metric's unit; finite
  PRIMARY KEY (attempt_id, metric_id, split, step)
) STRICT, WITHOUT ROWID;
INSERT INTO metric_point VALUES (1,2,0,1,2.4318117772980763);
INSERT INTO metric_point VALUES (1,2,0,2,1.861394354117956);
INSERT INTO metric_point VALUES (1,2,0,3,1.5223270216552052);
INSERT INTO metric_point VALUES (2,2,0,1,2.878790367784207);
INSERT INTO metric_point VALUES (2,2,0,2,1.2725988001465254);
INSERT INTO metric_point VALUES (2,2,0,3,1.3842370938993045);
INSERT INTO metric_point VALUES (3,2,0,1,2.5719511717217465);
INSERT INTO metric_point VALUES (3,2,0,2,1.807523572129021);
INSERT INTO metric_point VALUES (3,2,0,3,1.6372929683918493);
INSERT INTO metric_point VALUES (4,2,0,1,2.0208548091625578);
INSERT INTO metric_point VALUES (4,2,0,2,1.1669356267343796);
INSERT INTO metric_point VALUES (4,2,0,3,0.9340423610870059);
INSERT INTO metric_point VALUES (5,2,0,1,2.0913244944191858);
INSERT INTO metric_point VALUES (5,2,0,2,1.9070810912228455);
INSERT INTO metric_point VALUES (5,2,0,3,1.0406226662728173);
INSERT INTO metric_point VALUES (5,2,0,4,1.4791879142371351);
INSERT INTO metric_point VALUES (5,2,0,5,1.2633230248271339);
INSERT INTO metric_point VALUES (5,2,0,6,0.44050904340074765);
INSERT INTO metric_point VALUES (5,2,0,7,0.6806561606203455);
INSERT INTO metric_point VALUES (5,2,0,8,0.4904910743874865);
INSERT INTO metric_point VALUES (5,2,0,9,1.0539815825896537);
INSERT INTO metric_point VALUES (5,2,0,10,0.3869806617418063);
CREATE TABLE note (
  id INTEGER PRIMARY KEY,        -- internal number
  job_id INTEGER UNIQUE REFERENCES job (id),      -- the job; NULL: it is about a sweep
  sweep_id INTEGER UNIQUE REFERENCES sweep (id),  -- the sweep; NULL: it is about a job
  text TEXT NOT NULL CHECK (length(text) > 0),    -- the note
  written_at REAL NOT NULL,      -- [unix seconds] when
  CHECK ((job_id IS NULL) <> (sweep_id IS NULL))
) STRICT;
INSERT INTO note VALUES (1,4,NULL,'as expected',1700000000.0);
CREATE TABLE parameter_definition (
  name TEXT PRIMARY KEY,      -- 'budget.average_bits'
  unit TEXT NOT NULL,         -- of the values; empty: none
  description TEXT NOT NULL   -- meaning
) STRICT, WITHOUT ROWID;
CREATE TABLE published_result (
  id INTEGER PRIMARY KEY,      -- internal number
  model TEXT NOT NULL,         -- network, as the source names it
  method TEXT NOT NULL,        -- method, as the source names it
  kind TEXT NOT NULL,          -- 'fixed' or 'mixed' precision
  weight_bits TEXT NOT NULL,   -- bits of the weights, as the source says
  activation_bits TEXT NOT NULL,  -- bits of the activations, as the source says
  budget_constraint TEXT NOT NULL,  -- what was constrained, exceptions
  fp32_top1 REAL,              -- [percent] the source's own full-precision network; NULL: not given
  top1 REAL NOT NULL,          -- [percent] ImageNet unless the constraint says otherwise
  source_title TEXT NOT NULL CHECK (length(trim(source_title)) > 0),  -- where it stands
  source_url TEXT NOT NULL CHECK (length(trim(source_url)) > 0),      -- link to it
  quoted_from TEXT NOT NULL    -- own run of the source, or whom it quotes
) STRICT;
CREATE TABLE quantizer (
  inventory_id INTEGER NOT NULL REFERENCES inventory (id),  -- the list
  position INTEGER NOT NULL,   -- place in the network, from 0
  name TEXT NOT NULL,          -- 'features.1.conv.0.0.weight'
  kind TEXT NOT NULL CHECK (kind IN ('weight', 'activation')),  -- weight or activation
  elements INTEGER NOT NULL,   -- [elements] of the tensor; activations: per sample
  macs INTEGER NOT NULL,       -- [multiply-accumulates] of the layer it feeds, per sample
  counted INTEGER NOT NULL CHECK (counted IN (0, 1)),  -- 1: enters the budget's average
  pinned_bits INTEGER,         -- [bits] that no method may change; NULL: free
  share INTEGER,               -- its weight in the averages of budgets, as the worker told it; NULL: an older one did not
  PRIMARY KEY (inventory_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO quantizer VALUES (1,0,'stem.weight','weight',144,28224,0,8,144);
INSERT INTO quantizer VALUES (1,1,'stem.input','activation',784,28224,0,8,784);
INSERT INTO quantizer VALUES (1,2,'conv.weight','weight',4608,903168,1,NULL,4608);
INSERT INTO quantizer VALUES (1,3,'conv.input','activation',3136,903168,1,NULL,3136);
CREATE TABLE quantizer_bits (
  allocation_id INTEGER NOT NULL REFERENCES allocation (id),  -- the choice
  position INTEGER NOT NULL,   -- of the quantiser in the inventory
  bits INTEGER NOT NULL,       -- [bits] bit-width from this step on
  sensitivity REAL,            -- [allocation.cost_unit] cost at these bits; NULL: the method has none
  range REAL,                  -- [the tensor's unit] width of the grid
  PRIMARY KEY (allocation_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO quantizer_bits VALUES (1,0,8,NULL,1.0);
INSERT INTO quantizer_bits VALUES (1,1,8,NULL,1.0);
INSERT INTO quantizer_bits VALUES (1,2,3,NULL,1.0);
INSERT INTO quantizer_bits VALUES (1,3,3,NULL,1.0);
CREATE TABLE quantizer_final (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id),  -- whose result it is
  position INTEGER NOT NULL,   -- of the quantiser in the inventory
  bits INTEGER NOT NULL,       -- [bits] final bit-width
  PRIMARY KEY (attempt_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO quantizer_final VALUES (4,0,8);
INSERT INTO quantizer_final VALUES (4,1,8);
INSERT INTO quantizer_final VALUES (4,2,3);
INSERT INTO quantizer_final VALUES (4,3,3);
CREATE TABLE rendered_table (
  id INTEGER PRIMARY KEY,         -- internal number
  name TEXT NOT NULL,             -- of the definition
  rendered_at REAL NOT NULL,      -- [unix seconds] when
  definition TEXT NOT NULL,       -- the definition, verbatim
  format TEXT NOT NULL,           -- 'markdown', 'csv', ...
  jobs TEXT NOT NULL CHECK (json_valid(jobs)),  -- JSON list of the keys of the runs in it
  sha256 TEXT NOT NULL            -- of the text that was made
) STRICT;
CREATE TABLE schema_doc (
  relation TEXT NOT NULL,     -- table or view
  position INTEGER NOT NULL,  -- place of the column; 0: the relation itself
  column_name TEXT NOT NULL,  -- empty for the relation itself
  unit TEXT NOT NULL,         -- empty: none
  meaning TEXT NOT NULL,      -- one line
  PRIMARY KEY (relation, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE schema_migration (
  version INTEGER PRIMARY KEY,  -- of the schema after it
  name TEXT NOT NULL,           -- what it did
  applied_at REAL NOT NULL      -- [unix seconds] when
) STRICT;
INSERT INTO schema_migration VALUES (1,'created',1795679103.1427224);
CREATE TABLE sensitivity (
  allocation_id INTEGER NOT NULL REFERENCES allocation (id),  -- the choice
  position INTEGER NOT NULL,   -- of the quantiser in the inventory
  bits INTEGER NOT NULL,       -- [bits] candidate bit-width
  value REAL NOT NULL,         -- [allocation.cost_unit] expected damage at it; finite
  PRIMARY KEY (allocation_id, position, bits)
) STRICT, WITHOUT ROWID;
CREATE TABLE sweep (
  id INTEGER PRIMARY KEY,      -- internal number
  name TEXT NOT NULL UNIQUE,   -- the sweep file's `name`
  file TEXT NOT NULL,          -- path of the sweep file
  metric TEXT NOT NULL,        -- name of the number that the sweep is about
  goal TEXT NOT NULL CHECK (goal IN ('max', 'min')),        -- whether larger or smaller is better
  rule TEXT NOT NULL CHECK (rule IN ('last', 'best'))       -- which value of a run counts
) STRICT;
INSERT INTO sweep VALUES (1,'small','small.yaml','top1','max','last');
CREATE TABLE sweep_job (
  sweep_id INTEGER NOT NULL REFERENCES sweep (id),  -- the sweep
  job_id INTEGER NOT NULL REFERENCES job (id),      -- the job
  position INTEGER NOT NULL,       -- place in the sweep's order, from 0
  case_name TEXT NOT NULL,         -- case of the sweep file; empty without cases
  requested INTEGER NOT NULL CHECK (requested IN (0, 1)),  -- 0: only there because others need it
  axes TEXT NOT NULL CHECK (json_valid(axes)),      -- JSON object: the axes of the sweep for this job
  orphaned INTEGER NOT NULL DEFAULT 0 CHECK (orphaned IN (0, 1)),  -- 1: an earlier form of the sweep had it
  trial INTEGER NOT NULL DEFAULT 0 CHECK (trial >= 0),  -- n: the n-th run of a search, which chose another value; 0: none
  other_cases TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(other_cases)),  -- JSON list: further cases that have this same job
  PRIMARY KEY (sweep_id, job_id)
) STRICT, WITHOUT ROWID;
INSERT INTO sweep_job VALUES (1,1,0,'',0,'{}',0,0,'[]');
INSERT INTO sweep_job VALUES (1,2,1,'continued',1,'{}',0,0,'[]');
INSERT INTO sweep_job VALUES (1,3,2,'continued',1,'{}',0,0,'[]');
INSERT INTO sweep_job VALUES (1,4,3,'fixed',1,'{"budget.average_bits":3}',0,0,'[]');
INSERT INTO sweep_job VALUES (1,5,4,'fixed',1,'{"budget.average_bits":3}',0,0,'[]');
CREATE TABLE sweep_revision (
  id INTEGER PRIMARY KEY,         -- internal number, ascending with time
  sweep_id INTEGER NOT NULL REFERENCES sweep (id),  -- whose form it is
  recorded_at REAL NOT NULL,      -- [unix seconds] when it was first run
  text TEXT NOT NULL,             -- the sweep file, verbatim
  included TEXT NOT NULL,         -- JSON list of [path, sha256] of every file it extends
  overrides TEXT NOT NULL,        -- JSON list of overrides on the command line
  argv TEXT NOT NULL,             -- JSON list, the command line
  environment TEXT NOT NULL       -- JSON object: host, user's settings and versions of the driver
) STRICT;
INSERT INTO sweep_revision VALUES (1,1,1795679103.1875029,'# A file of schema version 1, for the migrations.
qbitopt: 1
name: small
set: {model: resnet8, data.name: synthetic}
seeds: 2
cases:
  continued: {set: {method: fp32_continued}}
  fixed: {set: {method: fixed_precision}, grid: {budget.average_bits: [3]}}
','[]','[]','["qbitopt","run","small.yaml"]','{"folder":"/somewhere","host":"somewhere","version":"0.1.0"}');
CREATE INDEX attempt_state ON attempt (state);
CREATE INDEX event_attempt ON event (attempt_id);
CREATE INDEX job_config ON job (config_key);
CREATE INDEX job_state ON job (state);
CREATE INDEX job_dependency_needed ON job_dependency (needed_job_id);
CREATE INDEX sweep_job_job ON sweep_job (job_id);
CREATE INDEX sweep_revision_sweep ON sweep_revision (sweep_id);
CREATE TABLE tag (
  id INTEGER PRIMARY KEY,        -- internal number
  job_id INTEGER REFERENCES job (id),      -- the job; NULL: a tag of a sweep
  sweep_id INTEGER REFERENCES sweep (id),  -- the sweep; NULL: a tag of a job
  name TEXT NOT NULL CHECK (length(name) > 0),  -- the tag
  UNIQUE (job_id, name),
  UNIQUE (sweep_id, name),
  CHECK ((job_id IS NULL) <> (sweep_id IS NULL))
) STRICT;
INSERT INTO tag VALUES (1,NULL,1,'paper');
