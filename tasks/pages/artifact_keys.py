"""Keys of a run's artifacts: of every pipeline its own, so that the last result of one is not taken for another's."""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal, TypeAlias

__all__ = ["ArtifactKind", "artifact_key"]

ArtifactKind: TypeAlias = Literal[
    "program", "result", "precision-curve", "boundary", "validation-of-inputs", "validation-of-matches", "proposal"
]

_DIGITS: Final = 8
_HASHED: Final = re.compile(rf"(^|-)[0-9a-f]{{{_DIGITS}}}$")


def artifact_key(pipeline: str, kind: ArtifactKind) -> str:
    """The key of a pipeline's artifact: lowercase letters, digits and dashes are all that the orchestrator takes.

    A name that has more than these, or ends like a hash, gets a hash of itself behind: no two names give one key.

    >>> artifact_key("malls", "result"), artifact_key("Malls", "result"), artifact_key("köln.nord", "result")
    ('malls-result', 'malls-e2c1871a-result', 'k-ln-nord-90956834-result')
    """
    slug = re.sub("[^a-z0-9]+", "-", pipeline.lower()).strip("-")
    if slug != pipeline or _HASHED.search(slug):
        digest = hashlib.sha256(pipeline.encode()).hexdigest()[:_DIGITS]
        slug = f"{slug}-{digest}" if slug else digest
    return f"{slug}-{kind}"
