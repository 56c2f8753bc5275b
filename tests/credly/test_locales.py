"""The learner's locale goes along where Credly has that language (R17)."""

import pytest

from credly_cli.credly.records import mail_locale


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ("de", "de"),
        ("pt-br", "pt-BR"),
        ("fr_CA", "fr-CA"),
        ("de_AT", "de"),
        ("en-GB", "en"),
        ("es", "es-ES"),
        ("es-MX", "es-ES"),
        ("zh-Hans", "zh-CN"),
        ("it", None),
        ("", None),
        (None, None),
    ],
)
def test_the_locale_of_the_lms_becomes_one_of_credlys_or_none(told: str | None, sent: str | None) -> None:
    assert mail_locale(told) == sent
