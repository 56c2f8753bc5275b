"""A plain threaded server with latency, in a process of its own: what is measured is the client, not the stand-in.

Pages of templates are written before the first request; an answer costs the server a tenth of a millisecond.
"""

import argparse
import json
import socketserver
import sys
import threading
import time
from collections import Counter
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks import world

_SIZE = 50
_MANY = 1000  # of the high-volume search
_BUSY = 429
_NEW = 10_000_000  # badges issued by the benchmark are numbered from here on


class Credly:
    """The organization, what it has issued, and what it was asked."""

    def __init__(self, templates: int, issued: int) -> None:
        rows = [world.template(number) for number in range(templates)]
        starts = range(0, max(templates, 1), _SIZE)
        self.pages = [
            json.dumps(world.page_of(rows[start : start + _SIZE], start // _SIZE + 1, templates)).encode()
            for start in starts
        ]
        self.old = issued
        self.new: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.latency = 0.0
        self.limit = 0
        self.lock = threading.Lock()
        self._window: tuple[int, int] = (0, 0)

    def count(self, what: str) -> None:
        """Count a request or a connection."""
        with self.lock:
            self.asked[what] += 1

    def too_many(self) -> bool:
        """Count a request to issue against the limit of the current second."""
        with self.lock:
            second = int(time.time())
            self._window = (second, self._window[1] + 1 if self._window[0] == second else 1)
            return bool(self.limit) and self._window[1] > self.limit

    def issue(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Issue a badge."""
        with self.lock:
            number = _NEW + len(self.new)
            row = world.issued(number)
            template = {**row["badge_template"], "id": fields["badge_template_id"]}
            row |= {"badge_template": template, "user": {}, "state": "pending"}
            row |= {name: fields.get(name) for name in ("recipient_email", "issuer_earner_id")}
            row |= {"issued_at": fields["issued_at"], "created_at": world.stamp_now(), "state_updated_at": None}
            self.new.append(row)
            return row

    def issued_page(self, query: dict[str, str]) -> dict[str, Any]:
        """Return a page of issued badges, in the order and by the filter that is asked for."""
        number, terms = int(query.get("page", "1")), _terms(query.get("filter", ""))
        if terms:
            rows = self._found(terms)
            return world.page_of(rows[(number - 1) * _SIZE : number * _SIZE], number, len(rows))
        total = self.old + len(self.new)
        places = range((number - 1) * _SIZE, min(number * _SIZE, total))
        sort = query.get("sort", "created_at")
        if sort == "-state_updated_at":
            return world.page_of([self._by_state(place) for place in places], number, total)
        return world.page_of(
            [self._at(total - 1 - place if sort.startswith("-") else place) for place in places], number, total
        )

    def searched(self, number: int) -> dict[str, Any]:
        """Return a page of the high-volume search."""
        total = self.old + len(self.new)
        rows = [self._at(place) for place in range((number - 1) * _MANY, min(number * _MANY, total))]
        further = f"/v1/organizations/{world.ORGANIZATION}/high_volume_issued_badge_search?page={number + 1}"
        return {"data": rows, "metadata": {"next_page_url": further if number * _MANY < total else None}}

    def _at(self, place: int) -> dict[str, Any]:
        return world.issued(place) if place < self.old else self.new[place - self.old]

    def _by_state(self, place: int) -> dict[str, Any]:
        """Return the badge whose state changed so many changes ago; those that never changed come last."""
        changed = self.old - -(-self.old // 4)
        if place < changed:
            rank = changed - 1 - place
            return world.issued(rank + rank // 3 + 1)
        rest = place - changed
        return self.new[rest] if rest < len(self.new) else world.issued(4 * (rest - len(self.new)))

    def _found(self, terms: dict[str, str]) -> list[dict[str, Any]]:
        name = terms.get("recipient_email") or terms.get("recipient_email_all") or terms.get("issuer_earner_id", "")
        digits = "".join(filter(str.isdigit, name.partition("@")[0]))
        old = [world.issued(int(digits))] if digits and int(digits) < self.old else []
        rows = old + [row for row in self.new if name in (row["recipient_email"], row["issuer_earner_id"])]
        wanted = terms.get("badge_template_id")
        return [row for row in rows if wanted in (None, row["badge_template"]["id"])]


def _terms(text: str) -> dict[str, str]:
    return {key: value for key, mark, value in (term.partition("::") for term in text.split("|")) if mark}


class _Handler(socketserver.StreamRequestHandler):
    """Answers the requests of one connection, one after the other."""

    disable_nagle_algorithm = True
    wbufsize = -1

    def handle(self) -> None:
        credly: Credly = self.server.credly  # type: ignore[attr-defined]
        credly.count("connections")
        while line := self.rfile.readline():
            method, target, _ = line.decode().split(" ", 2)
            length = 0
            while (header := self.rfile.readline()) not in (b"\r\n", b""):
                if header[:15].lower() == b"content-length:":
                    length = int(header[15:])
            status, answer = _answer(credly, method, target, self.rfile.read(length))
            head = (
                f"HTTP/1.1 {status} Answered\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: application/json\r\n"
            )
            head += "Retry-After: 1\r\n" if status == _BUSY else ""
            self.wfile.write(f"{head}Content-Length: {len(answer)}\r\n\r\n".encode() + answer)
            self.wfile.flush()


def _issue(credly: Credly, fields: dict[str, Any]) -> tuple[int, bytes]:
    if credly.too_many():
        credly.count("429")
        return _BUSY, b'{"data":{"message":"Too many requests"},"metadata":{}}'
    credly.count("POST")
    return 201, json.dumps({"data": credly.issue(fields), "metadata": {}}).encode()


def _answer(credly: Credly, method: str, target: str, body: bytes) -> tuple[int, bytes]:
    time.sleep(credly.latency)
    address = urlsplit(target)
    what = address.path.rstrip("/").rpartition("/")[2]
    if method == "POST":
        return _issue(credly, json.loads(body))
    credly.count(f"GET {what}")
    query = {key: values[0] for key, values in parse_qs(address.query).items()}
    if what == "organizations":
        organization = {"id": world.ORGANIZATION, "name": "Benchmark College"}
        return 200, json.dumps(world.page_of([organization], 1, 1)).encode()
    if what == "badge_templates":
        number = int(query.get("page", "1"))
        return 200, credly.pages[number - 1] if number <= len(credly.pages) else json.dumps(
            world.page_of([], number, 0)
        ).encode()
    if what == "high_volume_issued_badge_search":
        return 200, json.dumps(credly.searched(int(query.get("page", "1")))).encode()
    if what == "badges":
        return 200, json.dumps(credly.issued_page(query)).encode()
    return 404, b'{"data":{"message":"Not found"},"metadata":{}}'


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""


def main() -> None:
    """Serve; each line on standard input sets switches, and what was asked since the last is the answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--templates", type=int, default=0)
    parser.add_argument("--issued", type=int, default=0)
    options = parser.parse_args()
    credly = Credly(options.templates, options.issued)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.credly = credly  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        for line in sys.stdin:
            with credly.lock:
                asked, credly.asked = credly.asked, Counter()
                switches = json.loads(line)
                credly.latency, credly.limit = switches["latency"], switches["limit"]
                if switches["forget"]:
                    credly.new.clear()
            print(json.dumps(asked), flush=True)


if __name__ == "__main__":
    main()
