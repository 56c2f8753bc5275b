"""The high-volume search: read to its end, or said to be incomplete; never without an end."""

from typing import Any
from uuid import uuid4

import pytest
import requests_mock

from credly_cli.credly.client import Client, session_of
from credly_cli.credly.paging import NoSearchError
from credly_cli.http.response import HttpFailure
from credly_cli.times import Deadline
from credly_cli.token import Token
from tests.support.desk import StillClock

URL = "https://credly.test/v1"


def row(identity: str) -> dict[str, Any]:
    return {"id": identity, "state": "accepted", "badge_template": {"id": "t"}}


def page(rows: list[dict[str, Any]], further: str | None) -> dict[str, Any]:
    return {"data": rows, "metadata": {"next_page_url": further}}


def read(client: Client) -> list[str]:
    return [badge.id for rows in client.search_issued_badges() for badge in rows]


@pytest.fixture
def client() -> Client:
    return Client(session_of(URL, Token("t"), StillClock(), environ={}), "o")


def test_it_is_read_page_by_page_to_its_end(client: Client) -> None:
    with requests_mock.Mocker() as mock:
        pages = [page([row("a"), row("b")], "/v1/2"), page([row("b"), row("c")], f"{URL}/3"), page([], None)]
        mock.get(requests_mock.ANY, [{"json": answer} for answer in pages])
        assert read(client) == ["a", "b", "b", "c"]


@pytest.mark.parametrize("rows", [[], [row("a")]], ids=["empty", "the same"])
def test_pages_that_bring_nothing_new_are_not_followed_though_each_has_an_address_of_its_own(
    client: Client, rows: list[dict[str, Any]]
) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=lambda *_: page(rows, f"/v1/{uuid4()}"))
        with pytest.raises(HttpFailure, match="nothing new"):
            read(client)
        assert mock.call_count <= 2


def test_pages_without_end_end_with_the_time_of_the_run(client: Client) -> None:
    client.http.deadline = Deadline(client.http.clock, 5)

    def fresh(*_: object) -> dict[str, Any]:
        client.http.clock.sleep(1)
        return page([row(str(uuid4()))], f"/v1/{uuid4()}")

    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=fresh)
        with pytest.raises(HttpFailure) as caught:
            read(client)
        assert mock.call_count == 5
    assert caught.value.code == "rate-limited"


LINKS = ["http://credly.test:1\\@credly.test/v1/x", "https://mallory:pw@credly.test/v1/x", "https://evil.test/", 5, ""]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_leads_elsewhere_is_not_followed(client: Client, link: Any) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=page([row("a")], link))
        with pytest.raises(NoSearchError):
            read(client)
        assert mock.call_count == 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 500, 501])
def test_where_it_is_not_offered_single_learners_are_asked_about(client: Client, status: int) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, status_code=status, json={"data": {"message": "no"}})
        with pytest.raises(NoSearchError):
            read(client)


@pytest.mark.parametrize("status", [429, 502, 503])
def test_while_it_is_in_trouble_it_is_asked_again_in_another_run(client: Client, status: int) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, status_code=status)
        with pytest.raises(HttpFailure):
            read(client)


def test_a_token_that_it_alone_refuses_is_good(client: Client) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, status_code=401)
        with pytest.raises(HttpFailure, match="refused the token"):
            read(client)
        mock.get(f"{URL}/organizations", json={"data": [{"id": "o", "name": "O"}], "metadata": {}})
        with pytest.raises(NoSearchError):
            read(client)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [row("a")], "metadata": {}}, {"data": [], "metadata": None}, {"data": None, "metadata": {}},
        page([row("a"), {"id": 1}], None),
    ],
    ids=["no link", "no metadata", "no rows", "a row that cannot be read"],
)  # fmt: skip
def test_what_cannot_be_followed_is_not_offered(client: Client, answer: dict[str, Any]) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=answer)
        with pytest.raises(NoSearchError):
            read(client)
