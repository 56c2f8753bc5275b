"""The languages of Credly's mails (credly-api, 5.1), and which of them an LMS's locale means."""

_LOCALES = ("en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR")
_OF_LANGUAGE = {"es": "es-ES", "zh": "zh-CN"}


def mail_locale(told: str | None) -> str | None:
    """Return the locale to send for what the LMS tells, ``None`` where Credly has no such language.

    Credly refuses a badge with a locale it does not know, so ``de_AT`` becomes ``de`` and ``it`` nothing.
    """
    if not told:
        return None
    text = told.strip().replace("_", "-").casefold()
    for locale in _LOCALES:
        if locale.casefold() == text:
            return locale
    language = text.partition("-")[0]
    return language if language in _LOCALES else _OF_LANGUAGE.get(language)
