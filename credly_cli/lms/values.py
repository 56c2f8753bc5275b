"""What a person says that a word of a file means: ``--value status:Attended=completed``, ``role:Nurse=learner``."""

from collections.abc import Iterable, Mapping

from credly_cli.errors import Failure

MEANINGS: Mapping[str, tuple[str, ...]] = {
    "status": ("completed", "open", "ended", "ignore"),
    "role": ("learner", "other"),
}


def read_values(texts: Iterable[str]) -> dict[str, dict[str, str]]:
    """Read what ``--value`` says, as column -> word -> meaning; raises ``Failure``."""
    values: dict[str, dict[str, str]] = {}
    for text in texts:
        column, _, rest = text.partition(":")
        word, _, meaning = rest.rpartition("=")
        checked = check_value(column.strip(), word.strip(), meaning.strip(), f"--value {text!r}")
        values.setdefault(column.strip(), {})[word.strip()] = checked
    return values


def check_value(column: str, word: str, meaning: str, what: str) -> str:
    """Return a meaning in lower case; raises ``Failure`` for what cannot be meant."""
    if column not in MEANINGS:
        raise Failure("usage", f"{what} is not COLUMN:WORD=MEANING.", hint="COLUMN is status or role.")
    if not word or meaning.lower() not in MEANINGS[column]:
        options = f"{', '.join(MEANINGS[column][:-1])} or {MEANINGS[column][-1]}"
        raise Failure("usage", f"{what} is not COLUMN:WORD=MEANING.", hint=f"A {column} means {options}.")
    return meaning.lower()
