"""Until the first word: against a Typer program that does nothing, with the same interpreter and the same Typer."""

import sys
from pathlib import Path

from benchmarks.measure import Took, in_turn, memory, run, seconds, serving
from benchmarks.report import Line, Report
from benchmarks.stores import CREDLY, connected, credly, workshop

_NOTHING = '''import typer

app = typer.Typer()


@app.command()
def nothing() -> None:
    """Do nothing."""


app()
'''
_REPEATS = 21
_LIMIT = 2.2
_DEMO_SECONDS = 15
_COMPLETION = {"_CREDLY_COMPLETE": "complete_bash", "COMP_WORDS": "credly link ", "COMP_CWORD": "2"}


def measure(report: Report) -> None:
    """Measure `--version`, `status` and completion over 2,500 badges."""
    with serving(templates=2500) as server, workshop() as folder:
        nothing = folder / "nothing.py"
        nothing.write_text(_NOTHING)
        home = connected(folder / "home", server)
        credly(home, "sync")
        runs = in_turn(
            {
                "nothing": lambda: run([sys.executable, str(nothing)]),
                "`credly --version`": lambda: credly(home, "--version"),
                "`credly status`": lambda: credly(home, "status"),
                "completion of a badge, 2,500 badges": lambda: _complete(home),
            },
            _REPEATS,
        )
    base = seconds(runs.pop("nothing"))
    for name, took in runs.items():
        note = f"{seconds(took) * 1000:.0f} ms against {base * 1000:.0f} ms, {memory(took):.0f} MB"
        report.add(
            Line(f"{name}, times a Typer program that does nothing", seconds(took) / base, must=_LIMIT, note=note)
        )
    demo = run([CREDLY, "demo", "--quiet"])
    report.add(Line("`credly demo`, every chapter, in seconds", demo.seconds, must=_DEMO_SECONDS))


def _complete(home: Path) -> Took:
    took = run([CREDLY], environ={"CREDLY_HOME": str(home), **_COMPLETION})
    if len(took.out.splitlines()) < 100:  # noqa: PLR2004 - as many as are offered at once, or nearly
        sys.stderr.write("completion does not answer with badges\n")
    return took
