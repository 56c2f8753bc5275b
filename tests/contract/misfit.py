"""Where an answer does not have the shape that is promised (``credly_cli.cli.answers``)."""

from typing import Any


def misfit(value: Any, shape: Any, where: str = "answer") -> str | None:
    """Say where a value does not have its shape; ``None`` when it does."""
    if isinstance(shape, tuple):
        misfits = [misfit(value, one, where) for one in shape]
        return None if None in misfits else misfits[0]
    if shape is None or isinstance(shape, type):
        return _misfit_of_type(value, shape, where)
    if isinstance(shape, list):
        return _misfit_of_items(value, shape[0], where)
    return _misfit_of_object(value, shape, where)


def _misfit_of_object(value: Any, shape: dict[str, Any], where: str) -> str | None:
    if not isinstance(value, dict):
        return f"{where} is no object"
    if missing := shape.keys() - value.keys():
        return f"{where} lacks {sorted(missing)}"
    if added := value.keys() - shape.keys():
        return f"{where} has {sorted(added)}, of which nothing is written here"
    return next((told for key in shape if (told := misfit(value[key], shape[key], f"{where}.{key}"))), None)


def _misfit_of_items(value: Any, shape: Any, where: str) -> str | None:
    if not isinstance(value, list):
        return f"{where} is no list"
    told = (misfit(item, shape, f"{where}[{place}]") for place, item in enumerate(value))
    return next((words for words in told if words), None)


def _misfit_of_type(value: Any, shape: type | None, where: str) -> str | None:
    fits = value is None if shape is None else type(value) is shape
    return None if fits else f"{where} is {value!r}"
