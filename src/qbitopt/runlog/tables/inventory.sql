-- A list of quantizers; attempts with equal lists share it.
CREATE TABLE inventory (
  id INTEGER PRIMARY KEY,       -- internal number
  sha256 TEXT NOT NULL UNIQUE   -- hash of the list
) STRICT;
