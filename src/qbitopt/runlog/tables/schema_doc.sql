-- Unit and meaning of every column: `qbitopt sql --describe`.
CREATE TABLE schema_doc (
  relation TEXT NOT NULL,     -- table or view
  position INTEGER NOT NULL,  -- place of the column; 0: the relation itself
  column_name TEXT NOT NULL,  -- empty for the relation itself
  unit TEXT NOT NULL,         -- empty: none
  meaning TEXT NOT NULL,      -- one line
  PRIMARY KEY (relation, position)
) STRICT, WITHOUT ROWID;
