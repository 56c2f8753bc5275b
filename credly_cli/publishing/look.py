"""How pages look: what the configuration says, and a digest by which a change of it is seen without rendering."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from credly_cli import pages
from credly_cli.config import Settings
from credly_cli.errors import invalid_configuration
from credly_cli.publishing.folder import LOGOS, SHEET
from credly_cli.publishing.manifest import address
from credly_cli.text import is_web_address

if TYPE_CHECKING:
    from credly_cli.pages.page import Options

_DIGEST_BYTES = 16
_MOST_BYTES = 1_000_000  # of a logo or a style sheet: each learner's browser loads it


@dataclass(frozen=True, slots=True)
class Look:
    """How all pages of a folder look."""

    organization: str
    title: str | None
    language: str
    fragment: bool
    logo: str | None  # an https address, or the name of the file beside the pages
    logo_data: bytes | None  # of that file
    style: str | None  # the owner's own rules
    hide_expired: bool
    folder_url: str | None = None  # of a fragment with such a file, which is read at another address than its own

    @classmethod
    def of(cls, settings: Settings, organization: str, *, fragment: bool, url: str | None = None) -> "Look":
        """Read how pages are to look, of a folder at ``url``; raises ``Failure`` for a file that cannot be used."""
        publish = settings.publish
        logo, data = _logo(publish.logo, settings.folder) if publish.logo else (None, None)
        style = _read(publish.style, settings.folder, "publish.style") if publish.style else None
        text = None if style is None else style.decode("utf-8", "replace")
        title, language, hide = publish.title, publish.language, settings.hide_expired_badges
        folder_url = url if fragment and data is not None else None
        return cls(organization, title, language, fragment, logo, data, text, hide, folder_url)

    @property
    def options(self) -> "Options":
        """What rendering needs to know."""
        from credly_cli.pages.page import Options  # noqa: PLC0415 - Jinja2 takes 50 ms, where there is a page to write

        sheet = None if self.style is None else SHEET  # a fragment has no head that it could be named in
        logo = address(self.folder_url, self.logo) if self.logo is not None else None
        return Options(self.organization, self.title, logo, self.language, self.fragment, sheet)

    def beside(self) -> dict[str, bytes]:
        """Return the files that lie beside the pages, by name."""
        from credly_cli.pages.page import style_sheet  # noqa: PLC0415

        found = {}
        if self.fragment or self.style is not None:
            found[SHEET] = style_sheet(self.style or "").encode()
        if self.logo is not None and self.logo_data is not None:
            found[self.logo] = self.logo_data
        return found

    def digest(self) -> bytes:
        """Return a digest of all that decides how a page looks, the templates included."""
        digest = blake2b(repr(self).encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES)
        folder = Path(pages.__path__[0])
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(folder)}\n".encode())
                digest.update(path.read_bytes())
        return digest.digest()


def _logo(logo: str, folder: Path) -> tuple[str, bytes | None]:
    if logo.startswith("https://") and is_web_address(logo):
        return logo, None
    data = _read(logo, folder, "publish.logo")
    name = f"credly-logo{Path(logo).suffix.lower()}"
    if name not in LOGOS:
        endings = ", ".join(logo.rpartition(".")[2] for logo in LOGOS)
        raise invalid_configuration(f"publish.logo must be an https address or a file that ends in {endings}.")
    return name, data


def _read(name: str, folder: Path, key: str) -> bytes:
    path = folder / Path(name).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise invalid_configuration(f"The file of {key} cannot be read ({path}): {error.strerror}.") from None
    if len(data) > _MOST_BYTES:
        raise invalid_configuration(
            f"The file of {key} is too large for a page ({path}): at most {_MOST_BYTES:,} bytes."
        )
    return data
