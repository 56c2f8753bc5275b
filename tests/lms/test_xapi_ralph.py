"""Ralph, a learning record store of others: read as it is, with its file backend, on loopback.

It is installed from PyPI into an environment of its own, which is kept beside the virtual environment of these tests.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.lms.test_xapi import ADA, BO, C1, C2, people
from tests.support.desk import Desk
from tests.support.loopback import lms

VERSION = "5.1.0"
USER, PASSWORD = "credly", "a password of ralphs"
PLACE = Path(os.environ.get("CREDLY_TESTS_RALPH", Path(sys.prefix).with_name(".ralph")))
_ADL = "http://adlnet.gov/expapi/verbs/"
pytestmark = pytest.mark.slow


def run(*command: str, environment: dict[str, str] | None = None) -> None:
    """Run a command of the test's own."""
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=420)  # noqa: S603


@pytest.fixture(scope="module")
def ralph_program() -> Path:
    """Install Ralph where it is not yet; skips with the reason where that cannot be done."""
    program = PLACE / "bin" / "ralph"
    if not program.exists():
        try:
            run(sys.executable, "-m", "venv", str(PLACE))
            run(str(PLACE / "bin" / "python"), "-m", "pip", "install", "-q", f"ralph-malph[full]=={VERSION}")
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"ralph-malph {VERSION} cannot be installed here: {error}")
    return program


@pytest.fixture
def ralph(ralph_program: Path, tmp_path: Path) -> Iterator[str]:
    """A running Ralph; returns its address."""
    data = tmp_path / "data"
    data.mkdir()
    program = str(ralph_program)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "RALPH_APP_DIR": str(tmp_path),
        "RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH": str(data),
    }  # fmt: skip
    who = ["-u", USER, "-p", PASSWORD, "-s", "all", "-M", "mailto:admin@example.org", "-N", "admin"]
    run(program, "auth", "-w", *who, environment=environment)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "runserver", "-b", "fs", "-h", "127.0.0.1", "-p", str(port)]
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=silent, stderr=silent) as running:  # noqa: S603
        try:
            _await(port, running)
            yield f"http://127.0.0.1:{port}/xAPI"
        finally:
            running.terminate()


def _await(port: int, running: "subprocess.Popen[bytes]") -> None:
    for _ in range(240):
        assert running.poll() is None, "Ralph has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise TimeoutError("Ralph did not answer within two minutes")


def write(address: str, *statements: dict[str, Any]) -> None:
    """Write statements as an LMS does."""
    pair = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "X-Experience-API-Version": "1.0.3"}
    headers["Content-Type"] = "application/json"
    body = json.dumps(statements).encode()
    request = urllib.request.Request(f"{address}/statements", body, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        assert reply.status == 200


def write_more(folder: Path, *statements: dict[str, Any]) -> None:
    """Let more statements be stored; this backend of Ralph takes one request to write, and no other after it."""
    with (folder / "data" / "fs_lrs.jsonl").open("a", encoding="utf-8") as file:
        for statement in statements:
            stored = datetime.now(UTC).isoformat()
            file.write(json.dumps({**statement, "stored": stored, "version": "1.0.0"}) + "\n")


def moodle(identity: int, who: str, activity: str, at: str) -> dict[str, Any]:
    """A completion as Moodle's logstore_xapi writes it, with an address for the account."""
    return {
        "id": f"00000000-0000-4000-8000-{identity:012}",
        "actor": {"objectType": "Agent", "name": "Ada Lovelace", "mbox": f"mailto:{who}"},
        "verb": {"id": f"{_ADL}completed", "display": {"en": "completed"}},
        "object": {"id": activity, "definition": {"type": "http://id.tincanapi.com/activitytype/lms/course",
                                                  "name": {"en": "First Aid"}}},
        "timestamp": at,
        "context": {"platform": "Moodle", "language": "en",
                    "contextActivities": {"grouping": [{"id": "https://lms.example"}]}},
    }  # fmt: skip


def cmi5(identity: int, verb: str, who: str, activity: str, at: str) -> dict[str, Any]:
    """A statement as a cmi5 player writes it: an account, a registration, a category."""
    return {
        "id": f"00000000-0000-4000-8000-{identity:012}",
        "actor": {"objectType": "Agent", "account": {"homePage": "https://lms.example", "name": who}},
        "verb": {"id": f"{_ADL}{verb}", "display": {"en": verb}},
        "object": {"id": activity, "objectType": "Activity"},
        "result": {"success": verb == "passed", "duration": "PT30M", "score": {"scaled": 0.9}},
        "timestamp": at,
        "context": {"registration": "11111111-1111-4111-8111-111111111111",
                    "contextActivities": {"category": [{"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}]}},
    }  # fmt: skip


def h5p(identity: int, who: str, activity: str, at: str) -> dict[str, Any]:
    """What H5P writes of a question: it is answered, which completes nothing."""
    return {
        "id": f"00000000-0000-4000-8000-{identity:012}",
        "actor": {"objectType": "Agent", "name": "Cy", "mbox": f"mailto:{who}"},
        "verb": {"id": f"{_ADL}answered"},
        "object": {"id": activity, "objectType": "Activity"},
        "result": {"completion": True, "success": True},
        "timestamp": at,
    }


def test_ralph_is_read_with_statements_of_three_systems(ralph: str, desk: Desk, tmp_path: Path) -> None:
    desk.environ["CREDLY_LMS_TOKEN"] = PASSWORD
    homes = 'homes = {"https://lms.example" = ""}'
    desk.config(f'[lms]\nsource = "xapi"\n[lms.xapi]\nendpoint = "{ralph}"\nuser = "{USER}"\n{homes}\n')
    desk.connect()
    desk.imports("content", f"content_id,title\n{C1},First Aid\n{C2},Reading Data\n")
    desk.imports("learners", f"email,first_name,last_name,learner_id\n{BO},Bo,Berg,5\n")
    crowd = [moodle(100 + n, f"p{n}.x@example.org", C1, "2026-02-01T10:00:00+00:00") for n in range(150)]
    crowd.append(moodle(1, ADA, C1, "2026-02-01T10:00:00+00:00"))
    write(ralph, *crowd, h5p(2, "cy@example.org", C1, "2026-02-01T10:00:00+00:00"))
    lms(desk)
    assert len(people(desk)) == 151
    assert lms(desk)["lms"]["progress"]["read"] == 0
    write_more(
        tmp_path,
        cmi5(3, "failed", "5", C2, "2026-01-10T09:00:00+00:00"),
        cmi5(4, "passed", "5", C2, "2026-01-10T10:00:00+00:00"),  # told weeks late
    )
    assert lms(desk)["lms"]["progress"]["read"] == 2
    assert BO in people(desk)
    found = {check["name"]: check for check in desk.json("doctor")["checks"]}
    assert found["lms"]["ok"]
    assert found["lms-version"]["warning"]
