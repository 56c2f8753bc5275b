"""Scenario H 76: a few histories of ``tests/torture/any_history.py``, always the same ones.

A history that fails there is printed as a test of plain calls; as such it is kept here once it is mended.
"""

import pytest

from tests.torture.any_history import SHORT, AnyHistory

TestAnyHistory = pytest.mark.slow(AnyHistory.TestCase)
TestAnyHistory.settings = SHORT
