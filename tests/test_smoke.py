"""The whole of it in its shortest form."""

from tests.support.desk import Desk


def test_a_completion_after_the_link_earns_one_badge(connected: Desk) -> None:
    connected.json("link", "First Aid at Work", "first-aid")
    connected.pass_time(hours=1)
    connected.learns("ada@example.org,first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,Ada,Lovelace")
    assert connected.json("sync")["grants"]["issued"] == 1
    assert connected.json("sync")["grants"]["issued"] == 0
    assert len(connected.issued("First Aid at Work")) == 1
