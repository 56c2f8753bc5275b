"""`credly config`: every key with its value and source, the file's place, one to begin with, whether it is right."""

import tomllib
from typing import Any

import pytest

from credly_cli.config import KEYS
from tests.support.desk import Desk


def listed(desk: Desk, **how: Any) -> dict[str, tuple[Any, str]]:
    return {row["key"]: (row["value"], row["source"]) for row in desk.json("config", **how)}


def test_every_key_is_listed_with_its_default(desk: Desk) -> None:
    rows = listed(desk)
    assert list(rows) == [key.name for key in KEYS]
    assert all(source == "default" for _, source in rows.values())
    assert rows["grants.settle_seconds"] == (900, "default")


def test_a_value_tells_where_it_comes_from(desk: Desk) -> None:
    desk.config('[grants]\nsettle_seconds = 60\n[profiles.other]\ntimezone = "Europe/Vienna"\n')
    assert listed(desk)["grants.settle_seconds"] == (60, "file")
    assert desk.json("config", "--profile", "other")[1] == {
        "key": "timezone", "value": "Europe/Vienna", "source": "profile",
    }  # fmt: skip
    told = listed(desk, environ={"CREDLY_ORGANIZATION": "an-id"})
    assert told["credly.organization"] == ("an-id", "environment")


def test_secrets_are_never_shown(desk: Desk) -> None:
    desk.config('[credly]\ntoken_command = ["echo", "s3cret"]\n')
    assert "s3cret" not in desk.run("config").out
    assert "s3cret" not in desk.run("config", environ={"CREDLY_API_URL": "https://me:s3cret@credly.test"}).out


def test_it_tells_where_the_file_is(desk: Desk) -> None:
    assert desk.run("config", "path").out == f"{desk.home / 'config.toml'}\n"
    desk.config("enabled = nonsense")
    assert desk.json("config", "path") == {"path": str(desk.home / "config.toml")}


def test_it_writes_a_file_to_begin_with_once(desk: Desk) -> None:
    desk.run("config", "init")
    text = (desk.home / "config.toml").read_text()
    assert tomllib.loads(text) == {name: tomllib.loads(text)[name] for name in tomllib.loads(text)}
    assert desk.json("config", "check")["exists"] is True
    assert all(f"#{key.name.rpartition('.')[2]} = " in text for key in KEYS)
    assert desk.json("config", "init", code=6)["error"]["code"] == "file-exists"


def test_every_line_of_that_file_may_be_set(desk: Desk) -> None:
    desk.run("config", "init")
    path = desk.home / "config.toml"
    lines = [line[1:] if line.startswith("#") and line[1] != " " else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(line for line in lines if not line.endswith('= ""')))
    told = listed(desk)
    assert {name: value or None for name, (value, _) in told.items()} == {key.name: key.default or None for key in KEYS}


def test_it_tells_whether_the_file_can_be_used(desk: Desk) -> None:
    assert desk.run("config", "check").code == 0
    desk.config("nonsense = 1")
    error = desk.json("config", "check", code=78)["error"]
    assert error["message"] == "The configuration has an unknown key: nonsense."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[publish]\nlanguage = "xx"', "publish.language: There are no pages in 'xx'."),
        ('[publish]\nlogo = "nothing.png"', "The file of publish.logo cannot be read"),
        ('[publish]\nstyle = "nothing.css"', "The file of publish.style cannot be read"),
        ('[lms]\nsource = "xapi"', "lms.xapi.endpoint is not set."),
        (
            '[lms]\nsource = ["files", "thought-industries"]\n[lms.files]\nlearners = ["people.csv"]',
            "lms.thought_industries.host is not set.",
        ),
        ('[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "a/b"', "must be a host"),
    ],
)
def test_it_notices_what_would_stop_publish_and_sync(desk: Desk, text: str, told: str) -> None:
    desk.config(text)
    error = desk.json("config", "check", code=78)["error"]
    assert error["code"] == "config-invalid"
    assert told in error["message"]


def test_a_secret_that_is_elsewhere_makes_no_configuration_invalid(desk: Desk) -> None:
    desk.config('[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "learn.example.org"\n')
    assert desk.json("config", "check")["exists"] is True


@pytest.mark.parametrize("arguments", [(), ("path",), ("check",)])
def test_it_answers_while_the_integration_is_switched_off(desk: Desk, arguments: tuple[str, ...]) -> None:
    """R6."""
    desk.config("enabled = false")
    assert desk.run("config", *arguments).code == 0
