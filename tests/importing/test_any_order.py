"""R25: a file is judged as a whole: random files over random stores, their rows in any order."""

import random
from pathlib import Path

import pytest

from tests.importing.people import People

_FILES = 8  # for each seed; run with other seeds to look further
_ADDRESSES = tuple(f"{name}@x.org" for name in ("a", "b", "c", "d", "e"))
_NAMES = ("Ada,Lovelace", "Ada,Stone", "Bob,Stone", "Bob,Lovelace", "Cy,Young", "Lovelace,Ada", "Cy,", ",")


def _row(lot: random.Random, kind: str) -> str:
    address, identity = lot.choice(_ADDRESSES), lot.choice(("1", "2", "3", "4", "", ""))
    if kind == "learners":
        return f"{address},{identity},{lot.choice(_NAMES)}"
    if identity and lot.random() < 0.2:
        address = ""
    day = f"2026-01-0{lot.randint(1, 9)}" if lot.random() < 0.7 else ""
    return f"{address},{identity},{lot.choice(_NAMES)},{lot.choice(('C1', 'C2'))},{day}"


def _takes(people: People, kind: str, rows: list[str]) -> tuple[object, ...]:
    """Import rows, and return all that came of them that does not hang on numbers of rows."""
    getattr(people, kind)(*rows)
    rejected = sorted(rows[each.row - 2] for each in people.rejected)
    former = people.store.rows(
        "SELECT learners.email, f.email_key FROM former_emails f JOIN learners ON id = learner ORDER BY 1, 2"
    )
    return people.known, people.completions, people.ids, rejected, sorted(map(str, people.readdressed)), former


def _forget_all(people: People) -> None:
    with people.store.transaction():
        people.store.change("DELETE FROM enrollments")
        people.store.change("DELETE FROM learners")  # with their former addresses and ids


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(30))
def test_r25_shuffled_rows_have_the_same_outcome(tmp_path: Path, seed: int) -> None:
    lot = random.Random(seed)  # noqa: S311 - no secret
    people = People(tmp_path)
    for _ in range(_FILES):
        files = [
            (kind, [_row(lot, kind) for _ in range(lot.randint(1, 7))])
            for kind in (lot.choice(("learners", "progress")) for _ in range(lot.randint(1, 3)))
        ]
        outcomes = []
        for _ in range(3):
            _forget_all(people)
            outcomes.append([_takes(people, kind, lot.sample(rows, len(rows))) for kind, rows in files])
        assert outcomes[0] == outcomes[1] == outcomes[2], files
    people.store.close()


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(30))
def test_r25_a_file_that_was_taken_whole_says_nothing_new_again(tmp_path: Path, seed: int) -> None:
    lot = random.Random(seed)  # noqa: S311 - no secret
    people = People(tmp_path)
    for _ in range(_FILES):
        _forget_all(people)
        kind = lot.choice(("learners", "progress"))
        for _ in range(2):
            rows = [_row(lot, kind) for _ in range(lot.randint(1, 5))]
            _takes(people, kind, rows)
        if not people.rejected:  # what a row renames may make another one understood
            before = people.known
            _takes(people, kind, rows)
            assert (people.known, people.rejected) == (before, []), rows
    people.store.close()
