"""Reads the results of qbitopt as data frames.

    import qbitopt
    log = qbitopt.read("results/qbitopt.db")
    log.runs                      # one row per run, units and meanings in log.runs.attrs
    log.table("quick")            # the table of `qbitopt table quick`
    log.to_mlflow(sweep="quick")  # also to_wandb and to_optuna

The database is never changed, and may be read while a sweep runs.
"""

from qbitopt.errors import DatabaseError, ProgramError, QbitoptError, SchemaError
from qbitopt.runlog import Network, RunLog, read
from qbitopt.table import Table

__version__ = "0.1.0"
__all__ = [
    "DatabaseError",
    "Network",
    "ProgramError",
    "QbitoptError",
    "RunLog",
    "SchemaError",
    "Table",
    "read",
]
