"""What a run costs does not grow with those who did not change (R35)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from credly_cli.publishing.pages import Shared, read
from credly_cli.store import learners, page_changes
from credly_cli.store.database import Store
from tests.support.steps import steps
from tests.torture.page_kills import fill

NOW = "2026-03-02T09:30:00Z"
FEW, MANY = 50, 3000


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    folder = tmp_path_factory.mktemp("sizes")
    for count in (FEW, MANY):
        fill(folder / f"{count}", count)
    with _open(folder / f"{FEW}") as few, _open(folder / f"{MANY}") as many:
        for store in (few, many):
            page_changes.watch(store)
        yield few, many


def _open(home: Path) -> Store:
    return Store.open(home / "credly.db")


@pytest.mark.further
def test_r35_finding_out_that_nothing_changed_reads_nothing_of_others(stores: tuple[Store, Store]) -> None:
    few, many = stores
    marks = {store: page_changes.mark(store) for store in stores}
    assert page_changes.since(many, marks[many], 100) == []

    def look(store: Store) -> None:
        assert page_changes.continues(store, marks[store])
        assert page_changes.since(store, page_changes.mark(store), 100) == []

    assert steps(many, lambda: look(many)) <= steps(few, lambda: look(few)) * 1.1 + 1


def test_r35_reading_some_pages_reads_nothing_of_others(stores: tuple[Store, Store]) -> None:
    few, many = stores

    def pages(store: Store) -> None:
        shared = Shared.of(store, NOW, frozenset(), hide_expired=False)
        assert len(list(read(shared, learners.of_numbers(store, list(range(1, 21)))))) == 20

    assert steps(many, lambda: pages(many)) <= steps(few, lambda: pages(few)) * 1.1 + 1


def test_r35_only_those_who_changed_are_told(stores: tuple[Store, Store]) -> None:
    _, many = stores
    seen = page_changes.mark(many)
    with many.rehearsal():
        many.change("UPDATE enrollments SET progress = 5 WHERE learner IN (7, 9)")
        assert page_changes.since(many, seen, 100) == [7, 9]
        many.change("UPDATE enrollments SET progress = 6 WHERE learner IN (7, 9, 11)")
        assert page_changes.since(many, seen, 2) is None  # so many that all are looked at
        many.change("UPDATE badges SET fingerprint = 'another' WHERE id = 'b1'")
        assert page_changes.since(many, seen, 100) is None
