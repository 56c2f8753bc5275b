"""Every small change that could be made to a module: what ``random_mutants`` draws from."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Eq: ast.NotEq(), ast.NotEq: ast.Eq(), ast.Lt: ast.LtE(), ast.LtE: ast.Lt(), ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(), ast.Is: ast.IsNot(), ast.IsNot: ast.Is(), ast.In: ast.NotIn(), ast.NotIn: ast.In(),
}  # fmt: skip
_SQL = re.compile(r"\b(SELECT|UPDATE|DELETE|INSERT|WHERE|FROM|JOIN|AND|ORDER BY|EXISTS)\b")
_SQL_CHANGES = (
    (r"\bAND\b", "OR"), (r"\bNOT EXISTS\b", "EXISTS"), (r"\bIS NOT NULL\b", "IS NULL"), (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bNOT IN\b", "IN"), (r"<=", "<"), (r">=", ">"), (r"(?<![<>=])= '", "<> '"), (r"\bmin\(", "max("),
    (r"\bmax\(", "min("),
    (r"\bLEFT JOIN\b", "JOIN"), (r"\bDESC\b", ""), (r"\bDISTINCT\b", ""), (r"\bUNION\b(?! ALL)", "UNION ALL"),
    (r"\bLIMIT 1\b", "LIMIT 2"), (r"\bcoalesce\(([^(),]+), [^()]+\)", r"\1"), (r"\bDO UPDATE SET\b.*", "DO NOTHING"),
)  # fmt: skip

_SHOWN = 60


@dataclass(frozen=True)
class Mutation:
    """One change of a file: the characters from start to end become something else."""

    file: str
    line: int
    start: int
    end: int
    before: str
    after: str
    text: str  # the whole line, without its margins, by which the lists of known mutants find it

    @property
    def change(self) -> str:
        """How the change is written in lists and tables: of long texts, the place that differs."""
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        if len(before) <= _SHOWN:
            return f"{before} -> {after}"
        first = next((at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), 0)
        begin = max(0, first - _SHOWN // 2)
        return f"...{before[begin : begin + _SHOWN]}... -> ...{after[begin : begin + _SHOWN]}..."

    def apply(self, source: str) -> str:
        """Return the changed text of the file."""
        assert source[self.start : self.end] == self.before
        return source[: self.start] + self.after + source[self.end :]


def mutations_of(file: str, source: str) -> list[Mutation]:
    """Return every change of a file, in the order of its lines; few of them do not compile."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = source.splitlines()

    def at(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    found = []
    for node, texts in _walk(ast.parse(source)):
        start, end = at(node.lineno, node.col_offset), at(node.end_lineno or 0, node.end_col_offset or 0)
        before = source[start:end]
        for changed in _sql_changes(before) if texts is None else texts:
            mutation = Mutation(file, node.lineno, start, end, before, changed, lines[node.lineno - 1].strip())
            if changed != before:
                found.append(mutation)
    return sorted(found, key=lambda mutation: (mutation.start, mutation.end, mutation.after))


def compiles(mutation: Mutation, source: str) -> bool:
    """Whether the changed file is a program still."""
    try:
        compile(mutation.apply(source), mutation.file, "exec")
    except (SyntaxError, ValueError):
        return False
    return True


Change = tuple[
    ast.expr | ast.stmt, list[str] | None
]  # what is replaced, and by which texts; ``None`` for SQL within it


def _walk(node: ast.AST) -> Iterator[Change]:
    """Go through a module, past what only documents it: annotations, docstrings, decorators, imports."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _only_documents(child):
                yield from _conditions(child)
                yield from _values(child)
                yield from _statements(child)
                yield from _walk(child)


def _conditions(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            yield node, [f"({ast.unparse(ast.Compare(node.left, [_COMPARISONS[type(op)]], node.comparators))})"]
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            less = [[kept for kept in node.values if kept is not left_out] for left_out in node.values]
            changed = [ast.BoolOp(other, node.values), *(_joined(node.op, kept) for kept in less)]
            yield node, [f"({ast.unparse(one)})" for one in changed]
        case ast.UnaryOp(op=ast.Not()):
            yield node, [f"({ast.unparse(node.operand)})"]
        case ast.If() | ast.IfExp():
            yield node.test, ["True", "False"]


def _joined(op: ast.boolop, values: list[ast.expr]) -> ast.expr:
    return values[0] if len(values) == 1 else ast.BoolOp(op, values)


def _values(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Constant(value=bool()):
            yield node, [str(not node.value)]
        case ast.Constant(value=int() | float() as number):
            yield node, [repr(number + 1)]
        case ast.Constant(value=str()) | ast.JoinedStr():
            yield node, None
        case ast.keyword(arg=str(), value=value) if not (
            isinstance(value, ast.Constant) and value.value in (None, False)
        ):
            yield value, ["None"]


def _statements(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield node, ["pass"]
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):  # a name that is missing is no test of tests
            yield node, ["pass"]
        case ast.Return(value=ast.expr()):
            yield node, ["return None"]


def _only_documents(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _sql_changes(text: str) -> list[str]:
    """Return a text of SQL with one change each; none for other texts."""
    if len(_SQL.findall(text)) < 1 or text.upper() == text.lower():
        return []
    return [
        text[: found.start()] + found.expand(new) + text[found.end() :]
        for old, new in _SQL_CHANGES
        for found in re.finditer(old, text)
    ]
