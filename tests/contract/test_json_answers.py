"""Every ``--json`` answer has the keys and types that scripts rely on, success and failure; standard error is empty."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from credly_cli.app import app
from credly_cli.cli.answers import FAILURE, SHAPES, schema
from tests.contract.misfit import misfit
from tests.support.desk import ConnectedAfter, Desk
from tests.support.installed import PROGRAM, first_line, variables

BADGE = "First Aid at Work"

# What to type to get each answer, at a desk where something of everything has happened.
ANSWERS: dict[str, tuple[str, ...]] = {
    "badges": ("badges",),
    "content": ("content",),
    "learners": ("learners",),
    "link": ("link", "Facilitator", "hygiene", "--since", "2026-01-01"),
    "unlink": ("unlink", BADGE),
    "sync": ("sync",),
    "sync, dry run": ("sync", "--dry-run"),
    "grants": ("grants",),
    "grant": ("grant", "bob@example.org", BADGE),
    "grant, several": ("grant", "bob@example.org", "nobody@example.org", BADGE),
    "retry": ("retry",),
    "resolve": ("resolve", "2", "--drop"),
    "resolve, several": ("resolve", "2", "3", "--drop"),
    "learner-badges": ("learner-badges", "ada@example.org"),
    "widget": ("widget", "bob@example.org"),
    "explain": ("explain", "ada@example.org"),
    "missed": ("missed",),
    "import": ("import", "learners", "-"),
    "forget": ("forget", "cyd@example.org", "--yes"),
    "status": ("status",),
    "config": ("config",),
    "config, path": ("config", "path"),
    "config, init": ("config", "init"),
    "config, check": ("config", "check"),
    "grant, list": ("grant", "bob@example.org", "--list"),
    "doctor": ("doctor",),
    "profiles": ("profiles",),
    "report": ("report",),
    "publish": ("publish", "SITE"),
    "disconnect": ("disconnect", "--yes"),
}
_COMMANDS = {command.name for command in app.registered_commands}


def let_everything_happen(desk: Desk) -> None:
    desk.json("link", BADGE, "first-aid")
    desk.pass_time(hours=1)
    desk.learns(
        "ada@example.org,first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,Ada,Lovelace",
        "bob@example.org,first-aid,first-aid-march,enrolled,,Bob,Stone",
        "cyd@example.org,first-aid,first-aid-march,completed,2026-02-02T10:00:00Z,Cyd,Ray",
        "dan@example.org,first-aid,first-aid-april,completed,2026-03-02T10:05:00Z,Dan,",
        "fay@example.org,first-aid,first-aid-april,completed,2026-03-02T10:06:00Z,Fay,",
    )
    desk.json("sync", code=3)


@pytest.fixture
def busy(connected_after: ConnectedAfter) -> Desk:
    """A desk with an issued badge, one in progress, two held and one missed."""
    return connected_after(let_everything_happen)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_has_its_keys_and_types(busy: Desk, answer: str) -> None:
    words = (str(busy.home.parent / "site") if word == "SITE" else word for word in ANSWERS[answer])
    ran = busy.run(*words, "--json", stdin="email\neve@example.org\n")
    assert ran.err == ""
    assert misfit(ran.json, SHAPES[answer]) is None, ran.json
    assert misfit(ran.json, FAILURE) is not None


def test_every_command_has_its_answer_written_down() -> None:
    assert {name.partition(",")[0] for name in SHAPES} == _COMMANDS


@pytest.mark.slow
def test_the_demo_answers_with_its_keys(desk: Desk) -> None:
    assert misfit(desk.json("demo"), SHAPES["demo"]) is None


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--lrs",)])
def test_the_sandbox_answers_with_its_keys_once_it_serves(options: tuple[str, ...], tmp_path: Path) -> None:
    command = [*PROGRAM, "sandbox", *options, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=variables(tmp_path)) as serving:  # noqa: S603 - our own
        try:
            answer = json.loads(first_line(serving.stdout))
        finally:
            serving.terminate()
    assert misfit(answer, SHAPES["sandbox"]) is None


def test_a_key_that_is_not_written_down_is_noticed(busy: Desk) -> None:
    answer = {**busy.json("status"), "news": 1}
    assert misfit(answer, SHAPES["status"]) == "answer has ['news'], of which nothing is written here"


def test_connecting_answers_with_its_keys(desk: Desk) -> None:
    answer = desk.json("connect", "--token-stdin", "--api-url", "https://credly.test", stdin=desk.sandbox.token)
    assert misfit(answer, SHAPES["connect"]) is None


def test_status_before_connecting_has_the_same_keys(desk: Desk) -> None:
    assert misfit(desk.json("status"), SHAPES["status"]) is None


FAILURES: dict[str, tuple[tuple[str, ...], str, int]] = {
    "an unknown badge": (("link", "nothing", "first-aid"), "unknown-badge", 5),
    "unknown content": (("link", BADGE, "nothing"), "unknown-content", 5),
    "an unknown learner": (("grant", "nobody@example.org", BADGE), "unknown-learner", 5),
    "a badge linked elsewhere": (("link", BADGE, "hygiene"), "badge-already-linked", 6),
    "a badge without content": (("grant", "bob@example.org", "Facilitator"), "badge-not-linked", 6),
    "a badge earned already": (("grant", "ada@example.org", BADGE), "already-earned", 6),
    "a word too few": (("link", BADGE), "usage", 2),
    "an unknown option": (("badges", "--nonsense"), "usage", 2),
    "an unknown command": (("nonsense",), "usage", 2),
    "nobody to ask": (("disconnect",), "usage", 2),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_one_object_with_code_message_and_hint(busy: Desk, failure: str) -> None:
    arguments, code, exit_code = FAILURES[failure]
    answer: Any = busy.json(*arguments, code=exit_code)
    assert misfit(answer, FAILURE) is None
    assert answer["error"]["code"] == code
    assert answer["error"]["hint"], "every failure says what to do next"


def test_json_may_stand_before_the_verb_too(busy: Desk) -> None:
    ran = busy.run("--json", "badges")
    assert misfit(ran.json, SHAPES["badges"]) is None


@pytest.mark.further
def test_one_schema_tells_every_answer(desk: Desk) -> None:
    told = desk.run("--json-schema").json
    assert told == schema()
    assert set(told["$defs"]) == {*SHAPES, "failure"}
    assert told["$defs"]["learners"]["items"]["properties"]["former_emails"] == {
        "type": "array",
        "items": {"type": "string"},
    }


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_fits_the_schema_that_is_printed(busy: Desk, answer: str) -> None:
    words = (str(busy.home.parent / "site") if word == "SITE" else word for word in ANSWERS[answer])
    ran = busy.run(*words, "--json", stdin="email\neve@example.org\n")
    assert _fits(ran.json, schema()["$defs"][answer])


def _fits(value: Any, told: dict[str, Any]) -> bool:
    """Tell whether a value fits a schema, of the few words that this program uses."""
    if "anyOf" in told:
        return any(_fits(value, one) for one in told["anyOf"])
    match told["type"]:
        case "array":
            return isinstance(value, list) and all(_fits(item, told["items"]) for item in value)
        case "object":
            return (
                isinstance(value, dict)
                and set(told["required"]) <= set(value)
                and all(_fits(value[key], one) for key, one in told["properties"].items())
            )
        case kind:
            types = {"string": str, "integer": int, "number": float, "boolean": bool, "null": type(None)}
            return type(value) is types[kind]
