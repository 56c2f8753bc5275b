"""TLS as it is: certificates that nobody vouches for, or that have expired, and a proxy in between."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from credly_cli.credly.client import session_of
from credly_cli.http.response import NotSentError, UnclearError
from credly_cli.http.session import Session
from credly_cli.token import Token
from tests.credly.raw_server import head, raw_server, read_request
from tests.support.desk import StillClock

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="certificates are made with openssl, which is not here")
ANSWER = head("Content-Length: 12") + b'{"data": []}'


def certificate(folder: Path, days: int = 2) -> Path:
    """Make a certificate of this machine that vouches for itself, with its key in the same file."""
    key, request, made, names = (folder / name for name in ("key.pem", "request.pem", "made.pem", "names"))
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:credly.test\n")
    extra = ["-extfile", str(names)]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    for arguments in (
        ["req", "-new", *curve, "-nodes", "-subj", "/CN=credly.test", "-keyout", str(key), "-out", str(request)],
        ["x509", "-req", "-in", str(request), "-signkey", str(key), "-days", str(days), *extra, "-out", str(made)],
    ):
        done = subprocess.run([str(OPENSSL), *arguments], capture_output=True, check=False)  # noqa: S603
        if done.returncode:
            pytest.skip(f"this openssl does not make such a certificate: {done.stderr.decode()}")
    made.write_text(made.read_text() + key.read_text())
    return made


@contextmanager
def tls_server(made: Path, handle: Callable[[ssl.SSLSocket], None], *, tunnel: bool = False) -> Iterator[str]:
    """A server with TLS; as a ``tunnel`` it is a proxy that pretends to lead to any host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made)

    def serve(connection: socket.socket) -> None:
        if tunnel:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as secure:
            read_request(secure)
            handle(secure)

    with raw_server(serve, reads=tunnel) as url:
        yield url if tunnel else url.replace("http:", "https:")


def client_of(url: str, **environ: str) -> Session:
    return session_of(url, Token("canary"), StillClock(), environ=environ)


def test_a_certificate_of_the_configured_bundle_is_trusted(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    with tls_server(made, lambda connection: connection.sendall(ANSWER)) as url:
        http = client_of(url, REQUESTS_CA_BUNDLE=str(made))
        assert http.post("/organizations", b"{}").json == {"data": []}
        http.close()


@pytest.mark.parametrize("why", ["nobody vouches for it", "it has expired"])
def test_a_certificate_that_is_not_trusted_means_not_sent(tmp_path: Path, why: str) -> None:
    """Scenario 15."""
    expired = why == "it has expired"
    made = certificate(tmp_path, days=-1 if expired else 2)
    seen: list[object] = []
    with tls_server(made, seen.append) as url:
        http = client_of(url, **({"REQUESTS_CA_BUNDLE": str(made)} if expired else {}))
        with pytest.raises(NotSentError, match="its certificate is not trusted"):
            http.post("/organizations", b"{}")
        http.close()
    assert not seen


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 20", ANSWER[:-3]], ids=["nothing", "a cut status", "a cut body"])
def test_an_answer_lost_behind_a_proxy_is_unclear(tmp_path: Path, answer: bytes) -> None:
    """urllib3 blames the proxy for a tunnel that closes, even after the request."""
    made = certificate(tmp_path)
    with tls_server(made, lambda connection: connection.sendall(answer), tunnel=True) as proxy:
        http = client_of("https://credly.test/v1", REQUESTS_CA_BUNDLE=str(made), HTTPS_PROXY=proxy.removesuffix("/v1"))
        with pytest.raises(UnclearError):
            http.post("/organizations", b"{}")
        http.close()
