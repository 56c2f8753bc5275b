"""Ask, and print a table of what Credly answered beside what the program assumes; ``make contract``.

CREDLY_TOKEN_FILE names a file of mode 0600 with a token that may read and write, CREDLY_TEST_EMAIL is an address of
your own, CREDLY_TEST_BADGES has the ids of badges to issue: best one that allows duplicates and one that does not.
Without it, one that allows them is taken. Credly's sandbox is asked, unless CREDLY_API_URL names a stand-in on this
machine, and production only with CREDLY_TEST_PRODUCTION=yes. No mail is sent, and what was issued is revoked.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from credly_cli.cli.environment import SystemClock
from credly_cli.credly.client import CREDLY
from credly_cli.errors import Failure
from credly_cli.http.auth import Basic
from credly_cli.token import TokenSource, read_token
from credly_cli.urls import SANDBOX_URL, api_address, is_loopback
from tests.contract_with_credly.account import Account, NotAskedError, Wire
from tests.contract_with_credly.issuing import ISSUING
from tests.contract_with_credly.questions import Answer, Question
from tests.contract_with_credly.reading import READING

_AS_ASSUMED = {True: "yes", False: "NO", None: ""}


def account_of(environ: Mapping[str, str]) -> Account:
    """Return the account that the environment names; raises ``Failure`` for one that must not be used."""
    try:
        token_file, email = Path(environ["CREDLY_TOKEN_FILE"]), environ["CREDLY_TEST_EMAIL"]
    except KeyError as missing:
        raise Failure("usage", f"{missing.args[0]} is not set.", hint=__doc__) from None
    address = api_address(environ.get("CREDLY_API_URL", SANDBOX_URL))
    host = urlsplit(address).hostname or ""
    if (
        host != urlsplit(SANDBOX_URL).hostname
        and not is_loopback(host)
        and environ.get("CREDLY_TEST_PRODUCTION") != "yes"
    ):
        raise Failure(
            "usage", f"{host} is not a sandbox.", hint="To issue there all the same: CREDLY_TEST_PRODUCTION=yes"
        )
    clock = SystemClock()
    wire = Wire(CREDLY, address, Basic(read_token(TokenSource("file", token_file), None)), clock, environ=environ)
    return Account(wire, clock, email, tuple(environ.get("CREDLY_TEST_BADGES", "").replace(",", " ").split()))


def answers(account: Account) -> Iterator[tuple[Question, Answer]]:
    """Ask every question."""
    for question in (*READING, *ISSUING):
        try:
            yield question, question.ask(account)
        except NotAskedError as reason:
            yield question, Answer(f"not asked: {reason}")


def main() -> int:
    """Return 1 where Credly is not as assumed, or a badge could not be revoked."""
    account = account_of(os.environ)
    table = Table("question", "Credly", "the program assumes", "as assumed", title=f"{account.wire.api_url}")
    differs = False
    try:
        table.caption = account.open()
        for question, answer in answers(account):
            table.add_row(question.words, answer.words, question.assumed, _AS_ASSUMED[answer.as_assumed])
            differs |= answer.as_assumed is False
    finally:
        console = Console(markup=False, highlight=False)
        console.print(table)
        left = account.close()
        console.print(f"{len(account.issued)} badges were issued; not revoked: {', '.join(left) or 'none'}.")
    return int(differs or bool(left))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"{failure.message}\n{failure.hint or ''}")
    except NotAskedError as reason:
        sys.exit(f"The account cannot be used: {reason}.")
