"""What importing is measured by: ``csv.reader`` plus ``executemany``, ``bare.py FILE DATABASE``."""

import csv
import itertools
import sqlite3
import sys
from pathlib import Path


def main(source: str, target: str) -> None:
    """Load a file into a table of its columns, 10,000 rows a transaction."""
    Path(target).unlink(missing_ok=True)
    connection = sqlite3.connect(target, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    with Path(source).open(newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        connection.execute(f"CREATE TABLE progress ({', '.join(header)})")
        places = ", ".join("?" * len(header))
        while batch := list(itertools.islice(rows, 10_000)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(f"INSERT INTO progress VALUES ({places})", batch)
            connection.execute("COMMIT")
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
