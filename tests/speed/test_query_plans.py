"""A store of any age is asked by index only: no question of a quiet run walks through the ledger."""

import re
import sqlite3
from typing import Any

import pytest

from tests.support.desk import Desk

GROWING = ("grants", "enrollments", "learners", "attempts")


def test_a_quiet_run_scans_no_table_that_grows(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    connect = sqlite3.connect

    def listening(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(asked.add)
        return connection

    monkeypatch.setattr(sqlite3, "connect", listening)
    connected.json("sync")
    monkeypatch.undo()
    with connected.store() as store:
        scanned = {
            sql: step[3]
            for sql in asked
            if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH|INSERT)", sql)
            for step in store.connection.execute(f"EXPLAIN QUERY PLAN {sql}")
            if re.match(rf"SCAN ({'|'.join(GROWING)}|g|e|p|l)\b(?!.*COVERING)", step[3])
        }
    assert len(asked) > 10
    assert not scanned
