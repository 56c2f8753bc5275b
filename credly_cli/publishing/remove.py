"""Taking pages away: all of a folder, or those of a learner who is forgotten in each (R35)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from credly_cli.errors import Failure
from credly_cli.identity import email_key
from credly_cli.publishing import manifest
from credly_cli.publishing.folder import BESIDE, Folder, hash_of, unusable
from credly_cli.publishing.key import PageKey
from credly_cli.publishing.publish import Result
from credly_cli.store.published import Published, PublishedFolder


def remove_all(path: Path, published: Published, *, dry_run: bool) -> Result:
    """Remove every page of a folder, whoever published it, with its list and its manifest; raises ``Failure``."""
    result = Result(dry_run=dry_run)
    try:
        if path.exists():
            with Folder.opened(path, None, tidy=not dry_run) as folder:
                result.removed = _empty(folder, dry_run=dry_run)
    except OSError as error:
        raise unusable(Path(error.filename or path), error) from None
    if not dry_run:
        _forget_folder(path, published)
    return result


def _empty(folder: Folder, *, dry_run: bool) -> int:
    names = folder.own_files(lambda _: False) if folder.owner() else []
    if not dry_run:
        for name in names:
            folder.remove(name)
        folder.remove_list()
    return sum(name not in BESIDE for name in names)


def _forget_folder(path: Path, published: Published) -> None:
    known = next((one for one in published.folders() if one.path == path), None)
    if known is None:
        return
    for one in published.manifests(known):
        manifest.remove(one)
    published.drop(known)


@dataclass(slots=True)
class Forgotten:
    """Where a learner's pages were: the folders, how many pages were removed, and from which they could not be."""

    folders: list[Path] = field(default_factory=list)
    pages: int = 0
    failures: dict[Path, Failure] = field(default_factory=dict)


def forget(published: Published, key: PageKey | None, numbers: Sequence[int], emails: Collection[str]) -> Forgotten:
    """Remove the pages of learners, by the store's own numbers, and their lines, from each folder.

    ``emails`` are all that they had, as they are compared: manifests that are written no more know them by no other.
    """
    result = Forgotten()
    for folder in published.folders():
        result.folders.append(folder.path)
        try:
            names = _names(folder, published, key, numbers)
            _leave_out(published.manifests(folder), names, emails)
            result.pages += _forget_in(folder, published, key, numbers, names)
        except Failure as failure:
            result.failures[folder.path] = failure
        except OSError as error:
            result.failures[folder.path] = unusable(folder.path, error)
    return result


def _names(known: PublishedFolder, published: Published, key: PageKey | None, numbers: Sequence[int]) -> frozenset[str]:
    """Return the names of the learners' pages, also of a run that was stopped."""
    noted = {page.name for page in published.of_learners(known.id, numbers).values() if page.is_noted}
    return frozenset(noted | {key.name(number) for number in numbers} if key else noted)


def _leave_out(manifests: Sequence[Path], names: Collection[str], emails: Collection[str]) -> None:
    for path in manifests:
        manifest.leave_out(path, lambda email, url: email_key(email) in emails or url.rpartition("/")[2] in names)


def _forget_in(
    known: PublishedFolder, published: Published, key: PageKey | None, numbers: Sequence[int], names: frozenset[str]
) -> int:
    if not known.path.is_dir():
        published.remove(known.id, numbers)
        return 0
    with Folder.opened(known.path, key.publisher if key else None) as folder:
        untouched = folder.place() == known.place
        removed = sum(folder.is_ours(name) and folder.remove(name) for name in names)
        if removed:
            folder.leave_out_of_list(map(hash_of, names))
        with published.transaction():
            published.remove(known.id, numbers)
            published.set_place(known.id, folder.leave() if untouched else "")
    return removed
