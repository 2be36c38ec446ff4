"""Schema version 1 of the program file: what it spells otherwise than version 2, which decides the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fuzzyjoin.compare import FORMER_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["from_schema_1", "to_schema_1"]

_Place = tuple[str, ...]

_SPELLED: Final[Mapping[_Place, Mapping[str, str]]] = {
    ("program", "decision"): {"threshold": "cut"},
    ("program", "calibration"): {"between_task_sd": "spread"},
    ("program", "calibration", "adjustment", "inputs"): FORMER_NAMES,
    ("learning_record", "estimates"): {"neighbourhood": "ball"},
}
"""By place in the file: keys of version 2, and what version 1 calls them."""

_READ: Final = {place: {then: now for now, then in names.items()} for place, names in _SPELLED.items()}


def from_schema_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a file of version 1 holds, with the keys of version 2; what is no program stays what it is."""
    return _renamed(content, _READ)


def to_schema_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a file holds, with the keys of version 1: the inverse of `from_schema_1`, the order of keys included."""
    return _renamed(content, _SPELLED)


def _renamed(content: Mapping[str, Any], names: Mapping[_Place, Mapping[str, str]]) -> dict[str, Any]:
    found = dict(content)
    for place, keys in names.items():
        found = _renamed_at(found, place, keys)
    return found


def _renamed_at(content: Any, place: _Place, keys: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(content, dict):
        return content
    if not place:
        return {keys.get(key, key): value for key, value in content.items()}
    return {key: _renamed_at(value, place[1:], keys) if key == place[0] else value for key, value in content.items()}
