"""No bytes make the reader crash: whatever a file holds, it is read, or refused with a sentence."""

import contextlib
import gzip
import io
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credly_cli.errors import Failure
from credly_cli.import_options import Kind
from credly_cli.lms.reader import read_stream
from credly_cli.lms.records import Reading

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KINDS: tuple[Kind, ...] = get_args(Kind)
HEADER = b"email,content_id,title,progress,status,completed_at,released,type,source,timestamp\n"

scraps = st.sampled_from([
    *(b"email", b"r@x.org", b"content_id", b"title", b"status", b"completed", b"2026-03-02", b"100", b"03/04/2026"),
    *(b",", b";", b'"', b'""', b"\n", b"\r\n", b"\r", b"\0", b"\xe9", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0"),
    *(b"{", b"}", b"[", b"]", b":", b'"email":"r@x.org"', b'{"email":"r@x.org"}', b'{"data":', b'"events":[', b"null"),
    *(b'"actor":{}', b'"verb":{"id":1}', b'"object":7', b"1e999", b"NaN", b'"\\ud800"', b"<", b"sep=;"),
])  # fmt: skip


def _read(data: bytes) -> None:
    for kind in KINDS:
        with contextlib.suppress(Failure):
            for record in read_stream(kind, io.BytesIO(data), Reading(NOW)):
                for value in record:
                    str(value).encode()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_crash(data: bytes) -> None:
    _read(data)
    _read(HEADER + data)


@settings(max_examples=300, deadline=None)
@given(st.lists(scraps, max_size=25).map(b"".join))
def test_no_scraps_of_real_files_make_the_reader_crash(data: bytes) -> None:
    _read(data)
    _read(HEADER + data)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 60))
def test_no_damage_to_a_gzip_file_makes_the_reader_crash(data: bytes, cut: int) -> None:
    packed = gzip.compress(HEADER + data)
    _read(packed[:cut])
    _read(packed[:-4] + data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"data":' * 100_000,
        b'{"email":' * 100_000,
        b'{"email":"r@x.org","a":' + b"[" * 100_000,
        b'{"a":1}\n' + b'{"data":' * 5_000 + b"1" + b"}" * 5_000 + b"\n",
        b'{"email":' + b"9" * 10_000 + b"}",
        b'"' * 100_001,
        b",\n" * 50_000,
        b"\xff\xfe" + b"\x00\xd8" * 1_000,
    ],
)
def test_no_depth_or_length_makes_the_reader_crash(data: bytes) -> None:
    _read(data)
