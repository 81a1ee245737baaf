"""What can go wrong, as exceptions. Each message says what was found and what to do."""


class QbitoptError(Exception):
    """Of this package; also raised for an unknown job, sweep or view."""


class DatabaseError(QbitoptError):
    """The file is missing, damaged, locked for too long, or not a database of qbitopt."""


class SchemaError(DatabaseError):
    """The database is of a version that this package does not read."""


class ProgramError(QbitoptError):
    """The `qbitopt` program is missing, or refused what it was asked for."""
