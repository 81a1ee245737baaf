-- Hardware and software of an execution; equal ones share a row.
CREATE TABLE environment (
  id INTEGER PRIMARY KEY,     -- internal number
  facts TEXT NOT NULL UNIQUE CHECK (json_valid(facts)),  -- JSON object: name -> text, all that was reported
  cpu TEXT,                   -- the processor's model
  os TEXT,                    -- operating system
  libtorch TEXT,              -- version of LibTorch
  compiler TEXT,              -- compiler and its version
  commit_hash TEXT,           -- version of the code; ends in '-dirty' with changes that were not committed
  library_sha256 TEXT         -- hash of the library that trained
) STRICT;
