"""The blocks of the documents that need root, cron, logrotate and a container: run as far as a test can.

What a block would change in the whole machine is changed in a folder: each absolute path of the text is put below it.
`sudo` is what it runs; `useradd`, `systemctl` and `journalctl` only note that they were called; `install` gives no file
to an account that is not here. Not tried: the account itself, `Defaults` and `NOPASSWD` of sudoers, systemd starting a
unit (`systemd-analyze verify` reads them), cron's own clock, Docker building the image (its RUN steps are run here).
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.test_documents import DOCS, ROOT, all_blocks_of, follow, parse, starting_points

CONTRIB = ROOT / "contrib"
PAGE = DOCS / "how-to" / "unattended.md"
LOGROTATE = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin")
_PLACES = re.compile(r"(?<![\w.~/\"])/(opt|usr/local|etc|var/lib|src)(?=/|\s|$)")
_STUBS = {
    "sudo": 'while [ "${1:-}" = -u ]; do shift 2; done; exec env "$@"',
    "useradd": 'echo "useradd $*" >> "$CALLS"',
    "systemctl": 'echo "systemctl $*" >> "$CALLS"',
    "journalctl": 'echo "journalctl $*" >> "$CALLS"',
    "install": """args=(); while [ $# -gt 0 ]; do case $1 in -o|-g) shift;; *) args+=("$1");; esac; shift; done
exec /usr/bin/install "${args[@]}\"""",
}

pytestmark = pytest.mark.slow


def below(text: str, machine: Path) -> str:
    """Put each place of the machine that a text names below a folder."""
    return _PLACES.sub(rf"{machine}/\1", text)


def prepared(folder: Path) -> str:
    """Make a machine in a folder; returns the shell's lines that let commands meet it."""
    stubs, machine = folder / "stubs", folder / "machine"
    stubs.mkdir()
    for name, body in _STUBS.items():
        (stubs / name).write_text(f"#!/bin/bash\n{body}\n")
        (stubs / name).chmod(0o755)
    for place in ("opt", "usr/local/bin", "etc/cron.d", "etc/systemd/system", "etc/logrotate.d", "var/lib"):
        (machine / place).mkdir(parents=True)
    here = folder / "here"
    here.mkdir()
    for name in ("credly_cli", "contrib", "man", "docs"):
        shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "sample_config.toml"):
        shutil.copy(ROOT / name, here / name)
    return f'export PATH="{stubs}:$PATH" CALLS="{folder}/calls"; touch "$CALLS"\n'


def blocks_with_sudo() -> list[str]:
    return [
        block for block in all_blocks_of(PAGE.read_text(encoding="utf-8")) if re.search(r"^(exec )?sudo ", block, re.M)
    ]


def test_a_server_is_set_up_and_syncs_as_the_page_says(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    commands = prepared(tmp_path)
    blocks = blocks_with_sudo()
    assert len(blocks) == 4
    script = next(block for block in blocks if block.startswith("#!"))
    rest = "".join(block for block in blocks if block is not script)
    wrapper = tmp_path / "badges"
    wrapper.write_text(below(script, machine))
    commands += starting_points(DOCS / "how-to" / "first-set-up.md")
    commands += 'echo "$CREDLY_TOKEN" > token.txt; chmod 600 token.txt; unset CREDLY_TOKEN CREDLY_HOME\n'
    commands += below(rest, machine)
    commands += f"/bin/sh {wrapper} sync -q\n/bin/sh {wrapper} badges\n"
    shown = follow(commands, tmp_path, tmp_path / "here")
    assert "First Aid at Work" in shown
    called = (tmp_path / "calls").read_text()
    assert "useradd --system" in called
    assert "systemctl enable --now credly-sync.timer credly-status.timer credly-doctor.timer" in called
    assert oct((machine / "etc/credly/token").stat().st_mode)[-4:] == "0600"
    assert oct((machine / "var/lib/credly").stat().st_mode)[-4:] == "0700"
    assert (machine / "usr/local/share/man/man1/credly.1").exists()
    assert (machine / "etc/cron.d/credly").read_text() == (CONTRIB / "cron" / "credly").read_text()
    assert {path.name for path in (machine / "etc/systemd/system").iterdir()} == {
        path.name for path in (CONTRIB / "systemd").iterdir()
    }
    assert not (tmp_path / "here" / "token.txt").exists()


def test_every_line_of_the_crontab_is_one_that_the_program_takes() -> None:
    lines = [
        line for line in (CONTRIB / "cron" / "credly").read_text().splitlines() if line and line[0] in "*0123456789"
    ]
    assert len(lines) == 3
    for line in lines:
        *times, account, command = line.split(maxsplit=6)
        limits = (59, 23, 31, 12, 7)
        assert all(time == "*" or int(time) <= limit for time, limit in zip(times, limits, strict=True)), line
        assert account == "credly"
        parse(command)


@pytest.mark.parametrize("name", ["credly-sync", "credly-doctor"])
def test_what_a_unit_starts_is_what_the_program_takes(name: str) -> None:
    (started,) = re.findall(r"^ExecStart=(.+)$", (CONTRIB / "systemd" / f"{name}.service").read_text(), re.MULTILINE)
    parse(started)


@pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not here: apt-get install logrotate")
def test_logrotate_takes_the_recipe_and_leaves_a_private_log(tmp_path: Path) -> None:
    """With the account and the folder of this test instead of the service's."""
    log, recipe = tmp_path / "credly.log", tmp_path / "recipe"
    log.write_text("{}\n")
    log.chmod(0o600)
    owner = f"{tmp_path.owner()} {tmp_path.group()}"
    text = (CONTRIB / "logrotate" / "credly").read_text()
    assert text.count("credly credly") == 2
    recipe.write_text(text.replace("/var/lib/credly/credly.log", str(log)).replace("credly credly", owner))
    recipe.chmod(0o644)
    done = subprocess.run(  # noqa: S603 - our own recipe
        [str(LOGROTATE), "-f", "-s", str(tmp_path / "state"), str(recipe)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert ((tmp_path / "credly.log.1").read_text(), log.read_text()) == ("{}\n", "")
    assert oct(log.stat().st_mode)[-4:] == "0600"


def instructions() -> list[tuple[str, str]]:
    """Return what the Dockerfile says, line by line."""
    text = re.sub(r"\\\n", " ", (CONTRIB / "container" / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_container_has_a_python_that_is_allowed_and_starts_what_the_program_takes() -> None:
    said = dict(instructions())
    known = {"FROM", "RUN", "COPY", "USER", "ENV", "VOLUME", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} == known
    minor = re.fullmatch(r"python:3\.(\d+)-slim", said["FROM"])
    assert minor
    assert f"Programming Language :: Python :: 3.{minor[1]}" in (ROOT / "pyproject.toml").read_text()
    parse(" ".join([*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]))
    parse(" ".join(json.loads(said["HEALTHCHECK"].partition("CMD ")[2])))
    for comment in re.findall(
        r"^# .*docker run (.*)$", (CONTRIB / "container" / "Dockerfile").read_text(), re.MULTILINE
    ):
        parse(comment.partition("ro ")[2])


def test_the_steps_that_build_the_container_install_a_program_that_answers(tmp_path: Path) -> None:
    machine, commands = tmp_path / "machine", prepared(tmp_path)
    copied = "credly_cli pyproject.toml README.md LICENSE man sample_config.toml"
    commands += 'python3 -m venv image; export PATH="$PWD/image/bin:$PATH"\n'
    commands += f"mkdir {machine}/src; cp -R {copied} {machine}/src\n"
    steps = [below(step, machine) for name, step in instructions() if name == "RUN"]
    assert len(steps) == 2
    shown = follow(commands + "\n".join(steps) + "\ncredly --version\n", tmp_path, tmp_path / "here")
    assert re.search(r"\d+\.\d+", shown)
    assert "useradd --uid 10001" in (tmp_path / "calls").read_text()
    assert not (machine / "src").exists()
