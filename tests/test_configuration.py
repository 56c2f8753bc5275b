"""The configuration: every key, profiles, mistakes, and the switch that turns all off (R6)."""

import tomllib
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from credly_cli.config import KEYS, Settings, load
from credly_cli.errors import Failure
from tests.support.desk import URL, Desk

SAMPLE = Path(__file__).parent.parent / "sample_config.toml"
ANOTHER: dict[str, Any] = {  # a value of each key that is not its default
    "enabled": False,
    "timezone": "Europe/Vienna",
    "hide_expired_badges": True,
    "suppress_notification": True,
    "credly.api_url": "https://sandbox-api.credly.com/v1",
    "credly.organization": "an-id",
    "credly.token_command": ["pass", "show", "credly"],
    "credly.client_id": "an-id",
    "credly.oauth_url": "https://login.example.com/token",
    "credly.parallel": 32,
    "grants.settle_seconds": 0,
    "grants.recheck_seconds": 5,
    "grants.hold_uncertain": True,
    "grants.brake": 5000,
    "lms.source": "thought-industries",
    "lms.max_age_days": 30,
    "lms.files.learners": ["a.csv", "b-*.csv"],
    "lms.files.content": ["c.csv"],
    "lms.files.progress": ["p.csv"],
    "lms.files.access": ["x.csv"],
    "lms.thought_industries.host": "learn.example.com",
    "lms.thought_industries.token_file": "/etc/key",
    "lms.thought_industries.values": {"status_change/path_completed": "completed"},
    "lms.xapi.endpoint": "https://lrs.example.com/xapi",
    "lms.xapi.user": "credly",
    "lms.xapi.password_file": "/etc/password",
    "lms.xapi.verbs": ["http://adlnet.gov/expapi/verbs/completed"],
    "lms.xapi.activities": {"https://lms.example/course/7": "first-aid"},
    "lms.xapi.homes": {"https://lms.example": "moodle"},
    "lms.xapi.since": "2026-01-01T00:00:00Z",
    "publish.url": "https://learn.example.com/badges",
    "publish.title": "Your badges",
    "publish.logo": "logo.png",
    "publish.style": "badges.css",
    "publish.language": "de",
}
NAMES = [key.name for key in KEYS]


def written(name: str, value: Any, profile: str = "") -> str:
    """One key as TOML."""
    table, _, key = f"{f'profiles.{profile}.' if profile else ''}{name}".rpartition(".")
    if isinstance(value, dict):
        return f"[{table}]\n{key} = {{{', '.join(f'{word!r} = {meaning!r}' for word, meaning in value.items())}}}\n"
    text = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
    return f"[{table}]\n{key} = {text}\n" if table else f"{key} = {text}\n"


def read(folder: Path, text: str, profile: str = "default") -> Settings:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, profile, required=True)


def value(settings: Settings, name: str) -> Any:
    """The value of a key; lists are kept as tuples, since the record does not change."""
    found = attrgetter(name)(settings)
    return list(found) if isinstance(found, tuple) else found


def failure_of(folder: Path, text: str) -> Failure:
    with pytest.raises(Failure) as caught:
        read(folder, text)
    assert caught.value.code == "config-invalid"
    assert caught.value.hint
    return caught.value


def test_the_keys_are_those_that_are_promised() -> None:
    assert set(ANOTHER) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_key_says_what_it_says(tmp_path: Path, name: str) -> None:
    assert value(read(tmp_path, written(name, ANOTHER[name])), name) == ANOTHER[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_overrides_a_key_for_itself_alone(tmp_path: Path, name: str) -> None:
    text = written(name, ANOTHER[name], profile="second")
    default = next(key.default for key in KEYS if key.name == name)
    assert value(read(tmp_path, text, "second"), name) == ANOTHER[name]
    assert value(read(tmp_path, text), name) == default
    assert value(read(tmp_path, text, "unknown"), name) == default


KINDS = {key.name: key.type for key in KEYS}
WRONG: list[Any] = [1.5, {"a": 1}, [1], "no such thing \u00e9", 10**30]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in NAMES for value in WRONG if KINDS[name] != "text" or not isinstance(value, str)],
    ids=str,
)
def test_a_value_of_a_wrong_type_or_kind_names_the_key(tmp_path: Path, name: str, value: Any) -> None:
    text = written(name, "VALUE").replace('"VALUE"', "{ a = 1 }" if isinstance(value, dict) else repr(value))
    message = failure_of(tmp_path, text).message
    if KINDS[name] not in ("timezone", "address", "oauth") or not isinstance(value, str):
        assert name in message


def test_the_sample_shows_every_key_with_its_default(tmp_path: Path) -> None:
    sample = SAMPLE.read_text(encoding="utf-8")
    settings = read(tmp_path, sample)
    for key in KEYS:
        assert value(settings, key.name) == key.default
        last = key.name.rpartition(".")[2]
        assert f"\n{last} = " in sample or f"\n# {last} = " in sample, key.name


@pytest.mark.parametrize(
    ("text", "named", "suggested"),
    [
        ("enabeld = true", "enabeld", "enabled"),
        ("[credly]\nparalel = 2", "credly.paralel", "credly.parallel"),
        ('api_url = "https://x.test"', "api_url", "credly.api_url"),
        ("settle_seconds = 1", "settle_seconds", "grants.settle_seconds"),
        ('[lms.files]\nlearner = ["x"]', "lms.files.learner", "lms.files.learners"),
        ("[profiles.second]\nenabeld = true", "profiles.second.enabeld", "enabled"),
        ("[nonsense]\nx = 1", "nonsense", "sample_config.toml"),
        ('token = "geheim"', "token", "sample_config.toml"),
    ],
)
def test_an_unknown_key_is_named_with_a_suggestion(tmp_path: Path, text: str, named: str, suggested: str) -> None:
    failure = failure_of(tmp_path, text)
    assert failure.message.endswith(f": {named}.")
    assert suggested in str(failure.hint)
    assert "geheim" not in failure.message + str(failure.hint)


@pytest.mark.parametrize("text", ["credly = 5", "lms = []", '[lms]\nfiles = "x"', "profiles = 1", "[profiles]\nx = 1"])
def test_a_table_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    assert "table" in failure_of(tmp_path, text).message


@pytest.mark.parametrize("number", [0, 33, -1])
def test_the_number_of_requests_under_way_is_1_to_32(tmp_path: Path, number: int) -> None:
    assert "from 1 to 32" in failure_of(tmp_path, f"[credly]\nparallel = {number}").message


def test_an_address_in_the_configuration_is_brought_into_one_form(tmp_path: Path) -> None:
    assert read(tmp_path, '[credly]\napi_url = "https://x.test/"').credly.api_url == "https://x.test/v1"


# The file


BROKEN = {
    "truncated": b"[credly\napi_url =",
    "binary": bytes(range(256)),
    "not UTF-8": 'timezone = "\xe9"'.encode("latin-1"),
    "twice": b"enabled = true\nenabled = false",
    "deep": b"x = " + b"[" * 5000,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_one_sentence_and_stays_as_it_is(desk: Desk, kind: str) -> None:
    """Scenario 39."""
    path = desk.home / "config.toml"
    path.write_bytes(BROKEN[kind])
    error = desk.json("badges", code=78)["error"]
    assert error["code"] == "config-invalid"
    assert str(path) in error["message"]
    ran = desk.run("badges")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (78, "", 2)  # the sentence and the hint
    assert path.read_bytes() == BROKEN[kind]
    assert [entry.name for entry in desk.home.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("kind", ["folder", "unreadable link"])
def test_what_is_no_file_is_an_invalid_configuration(desk: Desk, kind: str) -> None:
    path = desk.home / "config.toml"
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path)
    assert desk.json("badges", code=78)["error"]["code"] == "config-invalid"


def test_without_a_file_the_defaults_hold(desk: Desk) -> None:
    assert desk.json("badges") == []


def test_an_empty_file_is_as_good_as_none(desk: Desk) -> None:
    desk.config("")
    assert desk.json("badges") == []


def test_a_file_that_is_named_has_to_be_there(desk: Desk) -> None:
    path = str(desk.home / "mine.toml")
    error = desk.json("badges", environ={"CREDLY_CONFIG": path}, code=78)["error"]
    assert (error["code"], path in error["message"]) == ("config-invalid", True)
    desk.file("mine.toml", "enabled = false")
    assert desk.json("badges", environ={"CREDLY_CONFIG": path}, code=6)["error"]["code"] == "integration-disabled"


def test_the_profile_of_the_command_line_decides(connected: Desk) -> None:
    connected.config("[profiles.second]\nenabled = false\n")
    assert len(connected.json("badges")) == 8
    assert connected.json("badges", "--profile", "second", code=6)["error"]["code"] == "integration-disabled"
    assert (
        connected.json("badges", environ={"CREDLY_PROFILE": "second"}, code=6)["error"]["code"]
        == "integration-disabled"
    )
    assert len(connected.json("--profile", "default", "badges", environ={"CREDLY_PROFILE": "second"})) == 8


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "x" * 65, "a b"])
def test_a_profile_cannot_be_called_anything(desk: Desk, name: str) -> None:
    assert desk.json("badges", "--profile", name, code=2)["error"]["code"] == "usage"


def test_an_unknown_profile_is_simply_not_connected(connected: Desk) -> None:
    assert connected.json("--profile", "other", "status")["connected"] is False
    assert connected.json("--profile", "other", "sync", code=4)["error"]["code"] == "not-connected"


@pytest.mark.parametrize(
    "command", [("sync",), ("link", "a", "b"), ("unlink", "a"), ("retry",), ("forget", "a@b.example"), ("badges",)]
)
def test_a_profile_that_is_not_there_is_not_made_by_asking_for_it(connected: Desk, command: tuple[str, ...]) -> None:
    connected.run("--profile", "other", *command)
    assert not (connected.home / "profiles").exists()


def test_a_mistyped_profile_is_told_from_those_that_are_there(desk: Desk) -> None:
    ran = desk.run("--profile", "production", "connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token)
    assert "Next: credly --profile production sync" in ran.err
    error = desk.json("--profile", "prodution", "sync", code=4)["error"]
    assert error["hint"].startswith("Did you mean 'production'? To see the profiles: credly profiles;")
    assert error["hint"].endswith("credly --profile prodution connect")


def test_the_next_step_is_of_the_profile_that_the_option_names(connected: Desk) -> None:
    ran = connected.run("--profile", "default", "link", "Nobody's", "first-aid")
    assert "credly --profile default " in ran.err
    assert "--profile" not in connected.run("link", "Nobody's", "first-aid", environ={"CREDLY_PROFILE": "default"}).err


# Variables


def test_an_empty_variable_is_not_set(connected: Desk) -> None:
    names = ("CONFIG", "PROFILE", "TOKEN", "TOKEN_FILE", "API_URL", "ORGANIZATION", "LMS_TOKEN", "NO_INPUT")
    empty = {f"CREDLY_{name}": "" for name in names}
    assert connected.json("sync", environ=empty)["status"] == "success"


@pytest.mark.parametrize(("value", "asks"), [("0", True), ("false", True), ("", True), ("1", False), ("yes", False)])
def test_input_can_be_switched_off_by_a_variable(connected: Desk, value: str, asks: bool) -> None:
    ran = connected.run("disconnect", terminal=True, stdin="n\n", environ={"CREDLY_NO_INPUT": value})
    assert ran.code == (6 if asks else 2)


# R6


@pytest.mark.parametrize(
    "command",
    [
        ("connect", "--token-stdin"), ("sync",), ("badges",), ("content",), ("link", "a", "b"), ("unlink", "a"),
        ("import", "learners", "x.csv"), ("grants",), ("learners",), ("grant", "a@b.example", "c"),
        ("learner-badges", "a@b.example"), ("missed",), ("sandbox", "--port", "0"), ("demo",),
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_r6_switched_off_every_command_refuses(connected: Desk, command: tuple[str, ...]) -> None:
    connected.config("enabled = false\n")
    before = sorted((path.name, path.read_bytes()) for path in connected.home.iterdir() if path.is_file())
    connected.sandbox.log.clear()
    error = connected.json(*command, stdin=connected.sandbox.token, code=6)["error"]
    assert error["code"] == "integration-disabled"
    assert "enabled = true" in error["hint"]
    assert connected.sandbox.log.count() == 0
    assert sorted((path.name, path.read_bytes()) for path in connected.home.iterdir() if path.is_file()) == before


def test_r6_status_help_and_disconnect_still_answer(connected: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    connected.config("enabled = false\n")
    assert connected.json("status")["connected"] is True
    assert connected.run().code == 0
    assert connected.run("sync", "--help").code == 0
    assert "cron" in capsys.readouterr().out
    assert connected.json("disconnect", "--yes")["connected"] is False


def test_the_sample_is_toml_of_today() -> None:
    tomllib.loads(SAMPLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("map = {bogus = 'email'}", "bogus"),
        ("date_format = '%d/%m/%Y %H:%M %p'", "date_format"),
        ("timezone = 'Nowhere'", "timezone"),
    ],
)
def test_options_that_no_file_can_be_read_with_are_found_by_checking(desk: Desk, option: str, named: str) -> None:
    desk.config(f"[[lms.files.progress]]\npath = 'x.csv'\n{option}\n")
    error = desk.json("config", "check", code=78)["error"]
    assert error["code"] == "config-invalid"
    assert named in error["message"]
    assert "--date-format" not in f"{error['message']} {error['hint']}"


ENTRY = "[[lms.files.progress]]\npath = 'x.csv'\n"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("header_line = 0", "header_line must be a whole number from 1 to 1000000"),
        ("header_line = true", "header_line must be a whole number from 1 to 1000000"),
        ("max_age_days = 3651", "max_age_days must be a whole number from 0 to 3650"),
        ("source = 5", "source must be text"),
        ("map = {email = 5}", "map must be a table of texts"),
        ("map = 'email'", "map must be a table of texts"),
        ("values = 'status'", 'values must be a table like {status = {"Word" = "completed"}}'),
        ("values = {title = {}}", "values is for words of status and role, not of title"),
        ("values = {role = {Nurse = 'completed'}}", "values.role must say one of learner, other for 'Nurse'"),
        ("ids = {5 = 'other'}", "ids must say one of same, new for '5'"),
    ],
)
def test_an_option_of_a_file_that_cannot_be_meant_is_named_with_what_it_must_be(
    tmp_path: Path, option: str, words: str
) -> None:
    failure = failure_of(tmp_path, f"{ENTRY}{option}\n")
    assert failure.message == f"In the configuration, lms.files.progress.{words}."


def test_the_options_of_a_file_are_kept_as_they_are_said(tmp_path: Path) -> None:
    numbers = "header_line = 1000000\nmax_age_days = 0\n"
    options = f"{numbers}source = ' crm '\nids = {{5 = 'new'}}\nvalues = {{role = {{Nurse = 'other'}}}}"
    (entry,) = read(tmp_path, f"{ENTRY}{options}\n").lms.files.of("progress")
    assert (entry.header_line, entry.max_age_days, entry.source) == (1_000_000, 0, "crm")
    assert (entry.ids, entry.values) == ({"5": "new"}, {"role": {"Nurse": "other"}})


def test_a_table_of_a_file_needs_a_path_and_a_mistyped_option_is_told(tmp_path: Path) -> None:
    missing = failure_of(tmp_path, "[[lms.files.progress]]\nsource = 'crm'\n").message
    assert missing == "In the configuration, each table of lms.files.progress needs a path."
    mistyped = failure_of(tmp_path, f"{ENTRY}date_fromat = '%d'\n")
    assert mistyped.message == "The configuration has an unknown key: lms.files.progress.date_fromat."
    assert str(mistyped.hint) == "Did you mean date_format?"
