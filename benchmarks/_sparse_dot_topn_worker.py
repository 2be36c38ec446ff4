"""Runs by an interpreter that has `sparse_dot_topn` and scikit-learn: the top k of one JSON file, as JSON.

Character 3-grams, TF-IDF weights, cosine. Prints the candidates of every query row, the seconds of the search alone,
and by how much index and search raised the peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-not-found]
from sparse_dot_topn import sp_matmul_topn  # type: ignore[import-not-found]


def main() -> None:
    """Answer the request in the file named on the command line."""
    request: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    before = peak_memory_mb()
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(3, 3))
    reference = vectorizer.fit_transform(request["reference"])
    query = vectorizer.transform(request["query"])
    transposed = reference.T.tocsr()
    start = time.perf_counter()
    found = sp_matmul_topn(query, transposed, top_n=request["k"], n_threads=request["threads"])
    seconds = time.perf_counter() - start
    answer = {
        "seconds": seconds,
        "added_mb": peak_memory_mb() - before,
        "indptr": found.indptr.tolist(),
        "reference": found.indices.tolist(),
    }
    sys.stdout.write(json.dumps(answer))


def peak_memory_mb() -> float:
    """Return the largest resident memory that this process has had, in MiB."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Linux carries ru_maxrss over from the parent on exec; VmHWM is this program's own.
        (line,) = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    main()
