"""A list of learners' addresses: one a line, or the column of a CSV."""

import csv
import io

from credly_cli.errors import Failure
from credly_cli.lms.columns import match_columns, missing_columns

_DELIMITERS = ",;\t"


def addresses_of(text: str) -> list[str]:
    """Read the addresses of a text; raises ``Failure`` for a CSV without a column of addresses."""
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    if not lines or "@" in lines[0]:
        return lines
    rows = csv.reader(io.StringIO("\n".join(lines)), delimiter=max(_DELIMITERS, key=lines[0].count))
    columns = match_columns("learners", header := next(rows), {})
    if missing_columns("learners", columns):
        raise Failure(
            "usage",
            f"There is no column of addresses among: {', '.join(header)}.",
            hint="Call the column email, or give one address a line.",
        )
    place = columns.at("email") if "email" in columns.places else columns.emails[0]
    addresses = (row[place].strip() for row in rows if len(row) > place)
    return [address for address in addresses if address]
