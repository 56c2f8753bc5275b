"""What can be made to go wrong: faults scripted for single requests of the stand-in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from threading import Lock
from typing import Protocol

from credly_cli.sandbox.records import Request, Response

Work = Callable[[], Response]


class Stage(Protocol):
    """What a fault may use besides the work that was asked for."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def do_later(self, seconds: float, work: Work) -> None:
        """Do the work before the first request that comes so many seconds later."""


Act = Callable[[Work, Stage], Response]


class Ending(Enum):
    """What becomes of the connection once the answer is known."""

    WHOLE = "the whole answer arrives"
    DROPPED = "the connection is closed before a byte of the answer"
    RESET = "the connection is reset before a byte of the answer"
    UNREACHABLE = "there was no connection in the first place"
    HUNG_UP = "the whole answer arrives, then the connection is closed without a word"


@dataclass(frozen=True)
class Delivery(Response):
    """An answer and how it reaches the client."""

    ending: Ending = Ending.WHOLE
    cut_at: int | None = None  # so many bytes of the body arrive, then the connection closes
    delay: float = 0.0  # seconds between the work and the first byte of the answer
    pace: float = 0.0  # seconds between one byte of the body and the next

    @classmethod
    def of(cls, answer: Response) -> "Delivery":
        """Return an answer as one that arrives whole and at once, unless it says otherwise."""
        return answer if isinstance(answer, Delivery) else cls(answer.status, answer.body, answer.headers)

    @property
    def is_lost(self) -> bool:
        """Whether nothing of the answer arrives."""
        return self.ending in {Ending.DROPPED, Ending.RESET, Ending.UNREACHABLE}


@dataclass
class Fault:
    """One scripted fault: for which requests, from which of them on, how often, and what it does."""

    act: Act
    method: str
    path: re.Pattern[str]
    nth: int
    times: int | None
    seen: int = 0
    fired: int = 0

    def takes(self, request: Request) -> bool:
        """Say whether the fault strikes this request, and count it."""
        if (self.method and request.method != self.method) or not self.path.search(request.target):
            return False
        self.seen += 1
        strikes = self.seen >= self.nth and (self.times is None or self.fired < self.times)
        self.fired += strikes
        return strikes


@dataclass
class Faults:
    """The scripted faults, in the order in which they were added; of several the first strikes."""

    scripted: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, act: Act, method: str = "", path: str = "", *, nth: int = 1, times: int | None = 1) -> Fault:
        """Let ``act`` strike requests of the method whose path and query hold the regular expression.

        It strikes from the ``nth`` such request on, so many ``times`` (None: for ever).
        """
        fault = Fault(act, method.upper(), re.compile(path), nth, times)
        with self._lock:
            self.scripted.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self.scripted.clear()

    def act_for(self, request: Request) -> Act | None:
        """Return what is to happen to this request, if anything."""
        with self._lock:
            striking = [fault.act for fault in self.scripted if fault.takes(request)]
        return striking[0] if striking else None


# The faults: each returns what ``Faults.add`` takes; any other function of that kind will do too.


def answers(status: int, body: bytes | None = None, **headers: str) -> Act:
    """Answer without doing the work; in ``headers`` as in ``Retry_After="7"``. Without body: one as errors have."""
    answer = _answer(status, body, headers)
    return lambda _work, _stage: answer


def works_then_answers(status: int, body: bytes | None = None, **headers: str) -> Act:
    """Do the work and answer something else."""
    answer = _answer(status, body, headers)

    def act(work: Work, _stage: Stage) -> Response:
        work()
        return answer

    return act


def answers_html(status: int = 200) -> Act:
    """Answer a web page, as a proxy does."""
    return answers(status, b"<!DOCTYPE html><title>Down for maintenance</title>", Content_Type="text/html")


def answers_nothing(status: int = 200) -> Act:
    """Answer without a body."""
    return answers(status, b"")


def answers_bad_json(status: int = 200) -> Act:
    """Answer JSON that breaks off."""
    return answers(status, b'{"data": [')


def answers_empty_object(status: int = 200) -> Act:
    """Answer ``{}``."""
    return answers(status, b"{}")


def redirects(url: str, status: int = 302) -> Act:
    """Send the client elsewhere."""
    return lambda _work, _stage: Response(status, headers={"Location": url})


def drops(*, reset: bool = False) -> Act:
    """Drop the connection before doing anything."""
    return lambda _work, _stage: Delivery(0, ending=Ending.RESET if reset else Ending.DROPPED)


def unreachable() -> Act:
    """Let there be no connection (over a socket the same as ``drops``)."""
    return lambda _work, _stage: Delivery(0, ending=Ending.UNREACHABLE)


def loses_answer(*, reset: bool = False) -> Act:
    """Do the work, then drop the connection."""
    return _altered(lambda answer: replace(answer, ending=Ending.RESET if reset else Ending.DROPPED))


def applies_late(seconds: float) -> Act:
    """Drop the connection, and do the work so much later."""

    def act(work: Work, stage: Stage) -> Response:
        stage.do_later(seconds, work)
        return Delivery(0, ending=Ending.DROPPED)

    return act


def cuts_body(after: int = 20) -> Act:
    """Do the work, send so many bytes of the body, and drop the connection."""
    return _altered(lambda answer: replace(answer, cut_at=after))


def trickles(seconds_a_byte: float) -> Act:
    """Do the work, and send the body byte by byte."""
    return _altered(lambda answer: replace(answer, pace=seconds_a_byte))


def hangs_up() -> Act:
    """Do the work, answer, and close the connection without saying so."""
    return _altered(lambda answer: replace(answer, ending=Ending.HUNG_UP))


def delays(seconds: float) -> Act:
    """Do the work at once, and answer later."""
    return _altered(lambda answer: replace(answer, delay=answer.delay + seconds))


def works_late(seconds: float) -> Act:
    """Wait, then do the work and answer."""

    def act(work: Work, stage: Stage) -> Response:
        stage.sleep(seconds)
        return work()

    return act


def _altered(change: Callable[[Delivery], Delivery]) -> Act:
    return lambda work, _stage: change(Delivery.of(work()))


def _answer(status: int, body: bytes | None, headers: dict[str, str]) -> Response:
    if body is None:
        body = f'{{"data":{{"message":"Scripted {status}"}},"metadata":{{}}}}'.encode()  # invented
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8", **named})
