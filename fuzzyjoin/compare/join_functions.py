"""Join functions and the spaces they are searched in (paper, section 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from fuzzyjoin.errors import UsageError
from fuzzyjoin.kernels.set_distances import SET_DISTANCE_CODES
from fuzzyjoin.text import PREPROCESSINGS, TOKENISERS, WEIGHTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fuzzyjoin.kernels.types import Float64Array

__all__ = ["CHARACTER_DISTANCES", "SPACES", "CustomJoinFunction", "JoinFunction", "Space", "resolve_space"]

CHARACTER_DISTANCES = ("edit", "jaro-winkler")
SET_DISTANCES = tuple(SET_DISTANCE_CODES)


@dataclass(frozen=True)
class JoinFunction:
    """A built-in join function: how text is preprocessed, tokenised, weighted and compared.

    Parameters
    ----------
    preprocess
        One of `fuzzyjoin.text.preprocessing.PREPROCESSINGS`.
    distance
        A character distance ("edit", "jaro-winkler"), or a set distance.
    tokenise, weight
        For a set distance "3-gram" or "word", and "uniform" or "idf"; None for a character distance.

    Raises
    ------
    UsageError
        If a name is unknown, or tokenise and weight do not go with the distance.

    Examples
    --------
    >>> JoinFunction(preprocess="lower", tokenise="word", weight="idf", distance="jaccard").name
    'lower/word/idf/jaccard'
    """

    preprocess: str
    distance: str
    tokenise: str | None = None
    weight: str | None = None

    def __post_init__(self) -> None:
        _require("preprocess", self.preprocess, PREPROCESSINGS)
        _require("distance", self.distance, (*CHARACTER_DISTANCES, *SET_DISTANCES))
        if self.distance in CHARACTER_DISTANCES:
            _require("tokenise", self.tokenise, (None,))
            _require("weight", self.weight, (None,))
        else:
            _require("tokenise", self.tokenise, TOKENISERS)
            _require("weight", self.weight, WEIGHTINGS)

    @property
    def name(self) -> str:
        """The parts in order, for people."""
        return "/".join(part for part in (self.preprocess, self.tokenise, self.weight, self.distance) if part)


@runtime_checkable
class CustomJoinFunction(Protocol):
    """A join function written by the user.

    It needs a `name` (which the program records; `apply` wants a function of the same name again) and one method.
    Its distance must depend on the two texts alone.
    """

    @property
    def name(self) -> str:
        """What the program calls it."""

    def distances(self, reference: Sequence[str], query: Sequence[str]) -> Float64Array:
        """Distances, shape (pairs,), >= 0, of reference[i] to query[i]; raw text, never missing."""


AnyJoinFunction: TypeAlias = JoinFunction | CustomJoinFunction
Space: TypeAlias = "str | Mapping[str, Sequence[str]] | Sequence[AnyJoinFunction]"

SPACES: dict[str, dict[str, tuple[str, ...]]] = {
    "small": {
        "preprocess": ("lower", "lower+strip+stem"),
        "tokenise": ("3-gram", "word"),
        "weight": ("idf",),
        "distance": ("jaro-winkler", "jaccard", "max-inclusion", "contain-cosine"),
    },
    "medium": {
        "preprocess": ("lower", "lower+strip+stem"),
        "tokenise": tuple(TOKENISERS),
        "weight": WEIGHTINGS,
        "distance": (*CHARACTER_DISTANCES, *SET_DISTANCES),
    },
    "large": {
        "preprocess": tuple(PREPROCESSINGS),
        "tokenise": tuple(TOKENISERS),
        "weight": WEIGHTINGS,
        "distance": (*CHARACTER_DISTANCES, *SET_DISTANCES),
    },
}


def resolve_space(space: Space) -> tuple[AnyJoinFunction, ...]:
    """The join functions of a space, in the fixed order that breaks ties.

    Parameters
    ----------
    space
        "small" (14 functions), "medium" (68) or "large" (136); or a dict with the keys of `SPACES` entries, whose
        product is taken; or a list of join functions, built-in and custom.

    Raises
    ------
    UsageError
        If a name is unknown, the space is empty or two functions share a name.

    Examples
    --------
    >>> [len(resolve_space(name)) for name in ("small", "medium", "large")]
    [14, 68, 136]
    """
    if isinstance(space, str):
        _require("space", space, SPACES)
        return _product(SPACES[space])
    functions = _product(space) if hasattr(space, "keys") else tuple(space)  # type: ignore[arg-type]
    if not functions:
        raise UsageError("space holds no join function; give at least one")
    for function in functions:
        if not isinstance(function, (JoinFunction, CustomJoinFunction)):
            raise UsageError(
                f"space holds {function!r}; expected a JoinFunction or an object with a name and a method "
                "distances(reference, query)"
            )
    names = [function.name for function in functions]
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"space holds two join functions named {repeated!r}; names must differ")
    return functions


def _product(options: Mapping[str, Sequence[str]]) -> tuple[AnyJoinFunction, ...]:
    for key in options:
        _require("space", key, ("preprocess", "tokenise", "weight", "distance"))
    preprocessings = tuple(options.get("preprocess", PREPROCESSINGS))
    distances = tuple(options.get("distance", (*CHARACTER_DISTANCES, *SET_DISTANCES)))
    characters = [
        JoinFunction(preprocess, distance)
        for preprocess, distance in product(preprocessings, distances)
        if distance in CHARACTER_DISTANCES
    ]
    sets = [
        JoinFunction(preprocess, distance, tokenise, weight)
        for preprocess, tokenise, weight, distance in product(
            preprocessings, options.get("tokenise", TOKENISERS), options.get("weight", WEIGHTINGS), distances
        )
        if distance not in CHARACTER_DISTANCES
    ]
    return (*sets, *characters)


def _require(argument: str, value: object, allowed: Any) -> None:  # noqa: ANN401 - any collection of names
    if value not in allowed:
        raise UsageError(f"{argument} is {value!r}; expected one of {', '.join(map(str, allowed))}")
