"""The trained scorer: trees read from a file of JSON that ships with the package and is named by its hash."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fuzzyjoin.compare import FEATURES, FORMER_NAMES
from fuzzyjoin.errors import DataError
from fuzzyjoin.kernels.trees import highest_scores, lay_out, path_contributions, tree_scores
from fuzzyjoin.scoring.calibration import Calibrator
from fuzzyjoin.scoring.densities import GRID

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from fuzzyjoin.kernels.types import Float32Array, Float64Array, Int64Array

__all__ = [
    "TrainedScorer",
    "Trees",
    "earlier_scorer",
    "load_scorer",
    "scorer_bytes",
    "scorer_file_name",
    "shipped_scorer",
]

SCORER_VERSION: Final = 4
HASH_PREFIX: Final = "sha256:"
BETWEEN_TASK_COEFFICIENTS: Final = 3
"""Coefficients of a calibration's between-task standard deviation."""
HASH_DIGITS: Final = 12
"""Digits of the hash in the file's name."""


@dataclass(frozen=True)
class Trees:
    """An ensemble of trees in flat arrays (see `fuzzyjoin.kernels.trees`)."""

    roots: Int64Array
    feature: Int64Array
    threshold: Float64Array
    left: Int64Array
    right: Int64Array
    value: Float64Array

    @cached_property
    def _laid_out(self) -> tuple[Any, ...]:
        return lay_out(self.roots, self.feature, self.threshold, self.left, self.right, self.value)

    def scores(self, features: Float32Array) -> Float64Array:
        """Log-odds that a candidate is right, before calibration, (candidates,)."""
        return tree_scores(features, *self._laid_out)

    def highest(self, features: Float32Array, unknown: slice) -> Float64Array:
        """The highest score that each candidate can have, whatever stands in the `unknown` columns, (candidates,)."""
        left_open = np.zeros(features.shape[1], np.bool_)
        left_open[unknown] = True
        return highest_scores(features, left_open, *self._laid_out)

    def contributions(self, features: Float32Array) -> Float64Array:
        """What each feature adds to the score, (candidates, features + 1); the last is the mean score."""
        return path_contributions(features, self.roots, self.feature, self.threshold, self.left, self.right, self.value)

    def as_json(self) -> dict[str, Any]:
        """Lists and numbers, ready for JSON."""
        return {name: getattr(self, name).tolist() for name in _TREE_ARRAYS}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Trees:
        """Read what `as_json` wrote."""
        return cls(**{name: np.array(content[name], kind) for name, kind in _TREE_ARRAYS.items()})

    def check(self) -> None:
        """Raise a ValueError unless these are trees: kernels walk through them and check nothing.

        Children stand behind their parent, every node is the root of one tree or the child of one node, a split is by a
        feature that there is, and all numbers are finite.
        """
        nodes = self.feature.size
        if any(getattr(self, name).ndim != 1 for name in _TREE_ARRAYS):
            raise ValueError("an array of the trees is no list of numbers")
        if not all(getattr(self, name).size == nodes for name in ("threshold", "left", "right", "value")):
            raise ValueError("the arrays of the trees differ in length")
        inner = np.flatnonzero(self.feature >= 0)
        children = np.concatenate([self.left[inner], self.right[inner]])
        behind = (children > np.tile(inner, 2)).all() and (children < nodes).all()
        features = ((self.feature >= -1) & (self.feature < len(FEATURES))).all()
        if not behind or not ((self.roots >= 0) & (self.roots < nodes)).all() or not features:
            raise ValueError("a tree points outside the file")
        if (np.bincount(np.concatenate([self.roots, children]), minlength=nodes) != 1).any():
            raise ValueError("a node of the trees belongs to two trees, to two nodes or to none")
        if not (np.isfinite(self.threshold[inner]).all() and np.isfinite(self.value).all()):
            raise ValueError("a threshold or a value of the trees is not finite")


_TREE_ARRAYS: Final[dict[str, type]] = {
    "roots": np.int64,
    "feature": np.int64,
    "threshold": np.float64,
    "left": np.int64,
    "right": np.int64,
    "value": np.float64,
}


@dataclass(frozen=True)
class TrainedScorer:
    """Trees and what their scores mean, with the name and the hash by which a program calls them.

    `first_calibrator` tells what the trees' own scores mean, `calibrator` what scores mean that were adjusted to a run.
    """

    name: str
    hash: str
    trees: Trees
    first_calibrator: Calibrator
    calibrator: Calibrator

    @classmethod
    def from_bytes(cls, content: bytes, *, source: str) -> TrainedScorer:
        """Read a scorer file; nothing in it is executed.

        Raises
        ------
        DataError
            If it is no scorer file, of another version, or made for other features.
        """
        try:
            parts = json.loads(content)
            if parts["scorer_version"] != SCORER_VERSION or parts["evidence"] != [*FORMER_NAMES.values()]:
                raise DataError(
                    f"{source} holds a scorer for other features than this version computes; train it again, or use the"
                    " version that trained it"
                )
            trees = Trees.from_json(parts["trees"])
            trees.check()
            first, calibrator = (Calibrator.from_json(parts[key]) for key in ("first_calibration", "calibration"))
            # Only the last says how far an estimate can be off.
            _check_calibrator(first, first.between_task_coefficients.size and BETWEEN_TASK_COEFFICIENTS)
            _check_calibrator(calibrator, BETWEEN_TASK_COEFFICIENTS)
            name = str(parts["name"])
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise DataError(f"{source} is no scorer file ({error}); give a file that train_scorer wrote") from None
        return cls(name, f"{HASH_PREFIX}{hashlib.sha256(content).hexdigest()}", trees, first, calibrator)


def _check_calibrator(calibrator: Calibrator, coefficients: int) -> None:
    """Raise a ValueError unless the arrays have the sizes that belong together and finite numbers."""
    curves = (calibrator.right, calibrator.query_decoys, calibrator.reference_decoys)
    regression = (calibrator.mean, calibrator.scale, calibrator.coefficients)
    numbers = np.array([calibrator.intercept, calibrator.neighbourhood_sd])
    if any(array.shape != GRID.shape for array in curves) or calibrator.between_task_coefficients.shape != (
        coefficients,
    ):
        raise ValueError("the curves of a calibration have other sizes")
    if len({array.shape for array in regression}) > 1 or calibrator.mean.ndim != 1:
        raise ValueError("the arrays of a calibration's regression differ in length")
    if not all(
        np.isfinite(array).all() for array in (*curves, *regression, calibrator.between_task_coefficients, numbers)
    ):
        raise ValueError("a number of a calibration is not finite")
    if (calibrator.scale <= 0.0).any() or any((array < 0.0).any() for array in curves):
        raise ValueError("a scale or a density of a calibration is negative")


def scorer_bytes(name: str, trees: Trees, first_calibrator: Calibrator, calibrator: Calibrator) -> bytes:
    """The content of a scorer file: the same scorer gives the same bytes."""
    content = {
        "scorer_version": SCORER_VERSION,
        "name": name,
        # The key and the names stay, so that training makes the shipped file again: programs name it by its hash.
        "evidence": [*FORMER_NAMES.values()],
        "first_calibration": first_calibrator.as_json(),
        "calibration": calibrator.as_json(),
        "trees": trees.as_json(),
    }
    # One list a line: a reader finds the parts, and the file stays small.
    lines = json.dumps(content, indent=1, allow_nan=False)
    return (_LIST.sub(lambda found: " ".join(found[0].split()), lines) + "\n").encode()


_LIST: Final = re.compile(r"\[[^\[\]{}]*\]")


def scorer_file_name(name: str, content: bytes) -> str:
    """The name of a scorer file: the scorer's, and the first digits of the content's hash."""
    return _file_name(name, hashlib.sha256(content).hexdigest())


def _file_name(name: str, digest: str) -> str:
    return f"{name}-{digest[:HASH_DIGITS]}.json"


@cache
def shipped_scorer() -> TrainedScorer:
    """The scorer in the package that programs are learned with.

    >>> shipped_scorer().name
    'autofj50'
    """
    (file,) = [file for file in _shipped().iterdir() if file.name.endswith(".json")]
    return _checked(file.read_bytes(), file.name)


@cache
def earlier_scorer(name: str, content_hash: str) -> TrainedScorer | None:
    """The scorer that an earlier version shipped, for the programs that name it; None if none did."""
    file_name = _file_name(name, content_hash.removeprefix(HASH_PREFIX))
    for file in _shipped().joinpath("earlier").iterdir():
        if file.name == file_name:
            found = _checked(file.read_bytes(), file.name)
            return found if found.hash == content_hash else None
    return None


def _shipped() -> Traversable:
    return files("fuzzyjoin.scoring").joinpath("scorers")


def load_scorer(path: str | Path) -> TrainedScorer:
    """Read a scorer file of the user's own.

    Raises
    ------
    DataError
        If it cannot be read as a scorer, or its name does not hold its hash.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}; give a file that train_scorer wrote") from None
    scorer = _checked(content, Path(path).name)
    if scorer.calibrator.mean.size != shipped_scorer().calibrator.mean.size:
        raise DataError(f"{path} is no scorer file of this version: its calibration has other features; train it again")
    return scorer


def _checked(content: bytes, file_name: str) -> TrainedScorer:
    scorer = TrainedScorer.from_bytes(content, source=file_name)
    if file_name != scorer_file_name(scorer.name, content):
        raise DataError(f"{file_name} was changed after it was trained: its name does not hold its hash")
    return scorer
