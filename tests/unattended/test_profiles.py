"""`credly profiles`: which there are, and which is in use; a store that cannot be read hides none of them."""

from tests.support.desk import Desk


def test_each_profile_with_files_or_a_table_is_listed_and_the_one_in_use_is_marked(connected: Desk) -> None:
    (connected.home / "profiles" / "second").mkdir(parents=True)
    connected.config("[profiles.third]\nenabled = true\n")
    rows = connected.json("profiles", "--profile", "third")
    assert [(row["name"], row["connected"], row["current"]) for row in rows] == [
        ("default", True, False),
        ("second", False, False),
        ("third", False, True),
    ]
    assert rows[0]["organization"] == {"id": connected.sandbox.organization_id, "name": "Larkfield Skills Institute"}


def test_a_store_that_cannot_be_read_is_listed_as_not_connected(connected: Desk) -> None:
    (connected.home / "credly.db").write_bytes(b"no database at all" * 500)
    (row,) = connected.json("profiles")
    assert (row["name"], row["connected"], row["organization"]) == ("default", False, None)


def test_the_only_profile_gets_no_suggestion_of_another(desk: Desk) -> None:
    error = desk.json("sync", "--profile", "only", code=4)["error"]
    assert error["hint"] == "Run: credly --profile only connect"
