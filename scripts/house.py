"""Measure the house, as Markdown: `make house`, or `make house AT=REV` for a revision beside the working tree.

What a row of CSV passes is traced: one completion is imported and synchronised, against the stand-in over a socket;
and once more without it, which shows what is called because of it.
"""

import argparse
import ast
import io
import json
import os
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "credly_cli"
MOST_LINES = 400  # of a module
LONGEST = 60  # lines of a function
RUN = 6  # lines that make a duplicate
_LOOSE_TYPE = re.compile(r"(?:dict|Mapping|MutableMapping)\[str, (?:Any|object)\]")
_ROW = re.compile(r'\brow\["')
_TEST = re.compile(r"^ *(?:async )?def test_", re.MULTILINE)
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CREATE|DROP|ALTER|PRAGMA)\s+[\w(*]")
_IMPORTS = (ast.Import, ast.ImportFrom)
_LAYOUT = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)
Importing = tuple[str, str]  # who imports, and what


@dataclass(frozen=True)
class Module:
    """A module of the package."""

    name: str  # without the package: ``store.grants``, and ``store`` for its ``__init__``
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """What the text says."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All parts of what the text says."""
        return list(ast.walk(self.tree))

    @property
    def lines(self) -> int:
        """The number of lines."""
        return _line_count(self.text)

    @property
    def room(self) -> str:
        """The folder that the module lies in; a loose file is its own."""
        return self.name.partition(".")[0]

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return every function and method."""
        return (node for node in self.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    def sql(self) -> Iterator[str]:
        """Return the texts that are SQL; a docstring is none."""
        docstrings = {node.value for node in self.nodes if isinstance(node, ast.Expr)}
        for node in self.nodes:
            text = node.value if isinstance(node, ast.Constant) and node not in docstrings else None
            if isinstance(text, str) and _SQL.match(text):
                yield text


@dataclass(frozen=True)
class House:
    """The package in a folder."""

    root: Path

    @cached_property
    def modules(self) -> dict[str, Module]:
        """Every module by its name."""
        folder = self.root / PACKAGE
        found = {}
        for path in sorted(folder.rglob("*.py")):
            name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix("__init__").rstrip(".")
            found[name] = Module(name, path, path.read_text("utf-8"))
        return found

    @cached_property
    def imports(self) -> set[Importing]:
        """Who imports whom within the package, wherever in the file it says so."""
        return {
            (module.name, imported)
            for module in self.modules.values()
            for name in names_imported(module)
            if name.split(".")[0] == PACKAGE and (imported := self._module_of(name)) and imported != module.name
        }

    def _module_of(self, name: str) -> str:
        """Return the longest part of a dotted name that is a module."""
        parts = name.split(".")[1:]
        while parts and ".".join(parts) not in self.modules:
            parts.pop()
        return ".".join(parts)

    def arrows(self) -> set[Importing]:
        """Which room imports from which."""
        rooms = {(self.modules[user].room, self.modules[used].room) for user, used in self.imports}
        return {(user, used) for user, used in rooms if user != used}

    def long_functions(self) -> Iterator[tuple[str, int]]:
        """Return the functions that are too long."""
        for module in self.modules.values():
            for function in module.functions():
                if length(function) > LONGEST:
                    yield f"{module.name}:{function.name}", length(function)


def names_imported(module: Module) -> Iterator[str]:
    """Return the full names of what a module imports, at its top or later."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's lines, its docstring among them."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def circles(arrows: Iterable[Importing]) -> list[set[str]]:
    """Return the sets of rooms in which each can be reached from each other one."""
    arrows = set(arrows)
    reached = {user: {used for other, used in arrows if other == user} for user, _ in arrows}
    while further := {
        (user, indirect)
        for user, known in reached.items()
        for room in known
        for indirect in reached.get(room, ())
        if indirect not in known
    }:
        for user, indirect in further:
            reached[user].add(indirect)
    found = {frozenset(room for room in known if user in reached.get(room, ())) for user, known in reached.items()}
    return [set(circle) for circle in found if len(circle) > 1]


# Duplicates


def repeated_lines(modules: Iterable[Module]) -> int:
    """Count the runs of lines that stand in two places, apart from imports, comments and layout."""
    code = {module.name: list(_code_lines(module)) for module in modules}
    seen: dict[tuple[str, ...], tuple[str, int]] = {}
    runs = 0
    for name, lines in code.items():
        inside = False
        for start in range(len(lines) - RUN + 1):
            window = tuple(lines[start : start + RUN])
            first = seen.setdefault(window, (name, start))
            repeated = first != (name, start)
            runs += repeated and not inside
            inside = repeated
    return runs


def _code_lines(module: Module) -> Iterator[str]:
    left_out = {
        number
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    by_line: dict[int, list[str]] = defaultdict(list)
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type not in _LAYOUT:
            by_line[token.start[0]].append(token.string)
    return (" ".join(words) for number, words in sorted(by_line.items()) if number not in left_out and len(words) > 1)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def alike_passages(modules: Iterable[Module]) -> int:
    """Count the passages of code that say the same as another one, but for the names of what they use."""
    seen: set[str] = set()
    count = 0
    for module in modules:
        for block in _blocks(module):
            inside = False
            for passage in _passages(block):
                shape = _shape(passage)
                repeated = shape in seen
                count += repeated and not inside
                inside = repeated
                seen.add(shape)
    return count


def _blocks(module: Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(module.tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and not isinstance(node, ast.Module | ast.ClassDef):
                yield [
                    each for each in block if not (isinstance(each, ast.Import | ast.ImportFrom) or _is_docstring(each))
                ]


def _passages(block: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Return from each statement on as few as make a run of some lines."""
    for start, first in enumerate(block):
        for end, last in enumerate(block[start:], start + 1):
            if (last.end_lineno or last.lineno) - first.lineno + 1 >= RUN:
                yield block[start:end]
                break


def _shape(passage: list[ast.stmt]) -> str:
    order: dict[str, str] = {}
    text = "\n".join(ast.dump(node) for node in passage)
    return re.sub(r"(id|arg)='(\w+)'", lambda match: order.setdefault(match[2], f"name{len(order)}"), text)


# What a row passes

_TRACED = """
import json, os, sys, threading
package, answer = os.path.realpath(sys.argv.pop(1)) + os.sep, sys.argv.pop(1)
called = set()
def note(frame, event, _):
    code = frame.f_code
    if event == "call" and code.co_flags & 1 and not (code.co_name[0] == "<" and code.co_name != "<lambda>"):
        file = os.path.realpath(code.co_filename)
        if file.startswith(package):
            called.add((file[len(package):], code.co_qualname, code.co_firstlineno))
def leave(code, leave=os._exit):
    sys.setprofile(None)
    with open(answer, "w") as file:
        json.dump(sorted(called), file)
    leave(code)
os._exit = leave
threading.setprofile(note)
sys.setprofile(note)
try:
    from credly_cli.__main__ import main
    code = main()
except SystemExit as error:
    code = error.code
sys.stdout.flush()
leave(code if isinstance(code, int) else 0)
"""
_FILES = {
    "content": "content_id,title,type\nfirst-aid,First Aid Course,course\n",
    "learners": "email,first_name,last_name\nada@example.org,Ada,Lovelace\n",
    "progress": "email,content_id,status,completed_at\nada@example.org,first-aid,completed,2025-03-01T08:00:00Z\n",
}


class Traced(NamedTuple):
    """What is called while one completion goes from its row to the issued badge: functions as (file, name and line)."""

    called: set[tuple[str, str]]
    because_of_it: set[tuple[str, str]]  # not called where the same commands find no row
    starting: set[str]  # files that every command passes


def traced(root: Path) -> Traced:
    """Run the commands that bring one completion to its badge, and the same without it."""
    header = _FILES["progress"].splitlines(keepends=True)[0]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        called, starting = _trace(root, Path(folder), _FILES)
        without, _ = _trace(root, Path(other), {**_FILES, "progress": header})
    return Traced(called, called - without, starting)


def _trace(root: Path, folder: Path, files: Mapping[str, str]) -> tuple[set[tuple[str, str]], set[str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CREDLY_")}
    variables = {**clean, "PYTHONPATH": str(root), "CREDLY_HOME": str(folder / "home")}
    where: Any = {"env": variables, "cwd": root}

    def run(*arguments: str, stdin: str = "", start: tuple[str, ...] = ("-m", PACKAGE)) -> None:
        command = [sys.executable, *start, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, **where)  # noqa: S603
        if done.returncode:
            raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")

    for kind, text in files.items():
        (folder / f"{kind}.csv").write_text(text, encoding="utf-8")
    serving = [sys.executable, "-m", PACKAGE, "sandbox", "--json"]
    with subprocess.Popen(serving, stdout=subprocess.PIPE, text=True, **where) as server:  # noqa: S603
        try:
            assert server.stdout is not None  # noqa: S101
            text = server.stdout.readline()
            while "}" not in text:
                text += server.stdout.readline()
            stand_in = json.loads(text)
            run("connect", "--api-url", stand_in["url"], "--token-stdin", stdin=stand_in["token"])
            run("sync")
            run("import", "content", str(folder / "content.csv"))
            run("import", "learners", str(folder / "learners.csv"))
            run("link", "First Aid at Work", "First Aid Course", "--since", "2025-01-01", "--yes")
            called = []
            for command in (("--version",), ("import", "progress", str(folder / "progress.csv")), ("sync",)):
                answer = folder / "called.json"
                run(*command, start=("-c", _TRACED, str(root / PACKAGE), str(answer)))
                called.append({(file, f"{name}:{line}") for file, name, line in json.loads(answer.read_text())})
        finally:
            server.terminate()
    starting, importing, synchronising = called
    return importing | synchronising, {file for file, _ in starting}


# The table


def measure(root: Path, *, suite: bool) -> dict[str, str]:
    """Return the rows of the table for a folder."""
    house = House(root)
    modules = list(house.modules.values())
    tests = [path.read_text("utf-8") for path in (root / "tests").rglob("*.py")]
    lengths = sorted(length(function) for module in modules for function in module.functions())
    texts = [module.text for module in modules]
    importers = Counter(used for _, used in house.imports)
    alone = [module for module in modules if importers[module.name] == 1 and module.room != "commands"]
    outside = [module for module in modules if module.room != "store" and any(module.sql())]
    completion = traced(root)
    files = {file for file, _ in completion.called}
    inner = {file for file in files - completion.starting if not file.startswith("commands/") and file != "output.py"}
    arrows = house.arrows()
    rows = {
        "modules": f"{len(modules)}",
        "... that are a room's docstring and nothing else": f"{sum(_is_only_docstring(module) for module in modules)}",
        "lines of the program": f"{sum(module.lines for module in modules):,}",
        "lines a module, mean": f"{statistics.mean(module.lines for module in modules):.0f}",
        f"modules over {MOST_LINES} lines": f"{sum(module.lines > MOST_LINES for module in modules)}",
        "modules with one importer, commands apart": f"{len(alone)}",
        "functions": f"{len(lengths):,}",
        "lines a function: median, 90th percentile, longest": " / ".join(
            str(each) for each in (lengths[len(lengths) // 2], lengths[len(lengths) * 9 // 10], lengths[-1])
        ),
        "`dict[str, Any]` and its like": f"{sum(len(_LOOSE_TYPE.findall(text)) for text in texts)}",
        '`row["`': f"{sum(len(_ROW.findall(text)) for text in texts)}",
        "look-ups by a written-out key, of any name": f"{sum(map(_lookups, modules))}",
        "files that a completion passes": f"{len(files)}",
        "... apart from start-up, commands and output": f"{len(inner)}",
        "... called because of it": f"{len({file for file, _ in completion.because_of_it})}",
        "functions called, because of it": f"{len(completion.called)} / {len(completion.because_of_it)}",
        "SQL outside the store: statements, modules": (
            f"{sum(len(list(module.sql())) for module in outside)} / {len(outside)}"
        ),
        f"runs of {RUN} lines and more in two places": f"{repeated_lines(modules)}",
        "passages of as many that say the same but for names": f"{alike_passages(modules)}",
        "rooms, arrows between them": f"{len({module.room for module in modules} - {''})} / {len(arrows)}",
        "circles of rooms": "; ".join(" ".join(sorted(circle)) for circle in circles(arrows)) or "none",
        "lines of the tests": f"{sum(map(_line_count, tests)):,}",
        "test functions": f"{sum(len(_TEST.findall(text)) for text in tests):,}",
    }
    return rows | ({"seconds of the fast tests, two at a time": _suite_seconds(root)} if suite else {})


def _is_only_docstring(module: Module) -> bool:
    return all(_is_docstring(node) for node in module.tree.body)


def _line_count(text: str) -> int:
    return text.count("\n")


def _lookups(module: Module) -> int:
    return sum(
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
        and node.value.id != "Literal"
        for node in ast.walk(module.tree)
    )


def _suite_seconds(root: Path) -> str:
    started = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-n", "2", "-m", "not slow", "-p", "no:cacheprovider"]
    variables = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=variables, stdout=subprocess.DEVNULL, check=False)  # noqa: S603
    return f"{time.perf_counter() - started:.0f}{'' if done.returncode == 0 else ' (failed)'}"


@contextmanager
def at(revision: str) -> Iterator[Path]:
    """Lay a revision out in a folder."""
    command = ["git", "archive", "--format=tar", revision]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S603
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")
        yield Path(folder).resolve()


def main() -> None:
    """Print the table: a column for each revision, then one for the working tree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", action="append", default=[], metavar="REV", help="measure this revision too")
    parser.add_argument("--suite", action="store_true", help="time the fast tests too, where temporary files go")
    options = parser.parse_args()
    columns = {}
    for revision in options.at:
        with at(revision) as root:
            columns[f"at {revision}"] = measure(root, suite=options.suite)
    columns["now"] = measure(ROOT, suite=options.suite)
    print("| | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for name in columns["now"]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns.values()) + " |")


if __name__ == "__main__":
    main()
