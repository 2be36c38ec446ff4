"""How settings look in a form."""

from __future__ import annotations

from typing import Any

__all__ = ["first_paragraph"]


def first_paragraph(schema: dict[str, Any]) -> None:
    r"""Leave of a class's docstring what helps who fills in the form.

    >>> schema = {"description": "A table\\nin a file.\\n\\nExamples\\n--------"}
    >>> first_paragraph(schema)
    >>> schema
    {'description': 'A table in a file.'}
    """
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].partition("\n\n")[0].split())
