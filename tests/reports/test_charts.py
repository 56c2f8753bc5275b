"""The charts of the report's page: in order, in whole numbers, and without a style of their own."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from credly_cli.pages import render
from credly_cli.pages.render import templates


def chart(labels: Sequence[str], series: Mapping[str, Sequence[int]], *, named: bool = False) -> str:
    bars: Any = templates().get_template("bars.html").module
    return str(bars.bars(render.chart(labels, series, named=named)))


def height_of(text: str, drawn: str) -> float:
    found = re.search(rf'<text[^>]* y="([\d.]+)"[^>]*>{re.escape(text)}<', drawn)
    assert found, text
    return float(found[1])


@pytest.mark.parametrize(("named", "labels"), [(False, ["May", "April"]), (True, ["2 · May", "1 · April"])])
def test_the_first_is_at_the_top(named: bool, labels: list[str]) -> None:
    drawn = chart(["May", "April"], {"Issued": [2, 1]}, named=named)
    assert height_of(labels[0], drawn) < height_of(labels[1], drawn)


@pytest.mark.parametrize(
    ("largest", "guides"),
    [
        (1, ["0", "1"]),
        (3, ["0", "1", "2", "3"]),
        (5, ["0", "2", "4"]),
        (15, ["0", "5", "10", "15"]),
        (7380, ["0", "5,000"]),
    ],
)
def test_guides_are_few_round_and_whole(largest: int, guides: list[str]) -> None:
    axis = chart(["May"], {"Issued": [largest]}).partition('class="axis')[2]
    assert re.findall(r"<text[^>]*>([\d,]+)<", axis) == guides


def test_each_bar_says_how_many_there_are() -> None:
    drawn = chart(["May", "April"], {"Issued": [1234, 0]})
    assert re.findall(r'class="value"[^>]*>([^<]*)<', drawn) == ["1,234", "0"]


def test_a_stacked_bar_says_the_name_and_the_total_once() -> None:
    drawn = chart(["First Aid"], {"Pending": [0], "Accepted": [2], "Revoked": [3]}, named=True)
    assert re.findall(r'class="label"[^>]*>([^<]*)<', drawn) == ["5 · First Aid"]
    assert re.findall(r'class="legend .*?<text[^>]*>([^<]*)<', drawn) == ["Pending", "Accepted", "Revoked"]


@pytest.mark.parametrize(
    ("name", "shown"), [("a" * 60, "a" * 39 + "…"), ("修" * 60, "修" * 19 + "…"), ("a" * 40, "a" * 40)]
)
def test_a_name_too_long_is_cut_to_the_width(name: str, shown: str) -> None:
    assert f"1 · {shown}<" in chart([name], {"Issued": [1]}, named=True)


def test_it_has_no_style_and_no_script_of_its_own() -> None:
    drawn = chart(["May"], {"Issued": [1]})
    assert not re.search(r"<style|<script|<desc|<title|<!--| style=|xmlns|http", drawn)
