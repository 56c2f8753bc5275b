"""Striking our token out of what Credly says, in whatever form it repeats it."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from typing import Any
from urllib.parse import quote

from credly_cli.token import Token


class Redaction:
    """Knows the forms of a token in an error, which is shown, stored and logged."""

    def __init__(self, token: Token) -> None:
        text = token.reveal()
        encoded = [encode(f"{text}:".encode()).decode().rstrip("=") for encode in (b64encode, urlsafe_b64encode)]
        forms = {json.dumps(form)[1:-1] for form in (text, quote(text), quote(text, safe=""), *encoded)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._forms = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def struck(self, told: Any) -> Any:
        """Return the JSON of an error without the token: as JSON is written again, no escape hides it."""
        try:
            return json.loads(self._forms.sub("***", json.dumps(told, ensure_ascii=False)))
        except RecursionError:
            return None
