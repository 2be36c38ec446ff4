"""How settings look in a form."""

from __future__ import annotations

from typing import Any

__all__ = ["first_paragraph", "source_form"]


def first_paragraph(schema: dict[str, Any]) -> None:
    r"""Leave of a class's docstring what helps who fills in the form.

    >>> schema = {"description": "A table\nin a file.\n\nExamples\n--------"}
    >>> first_paragraph(schema)
    >>> schema
    {'description': 'A table in a file.'}
    """
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].partition("\n\n")[0].split())


def source_form(schema: dict[str, Any]) -> None:
    """As `first_paragraph`; and `kind`, which tells the sources apart, must be given and is chosen, not typed.

    >>> schema = {"properties": {"kind": {"const": "file", "default": "file"}}, "required": ["path"]}
    >>> source_form(schema)
    >>> schema
    {'properties': {'kind': {'const': 'file', 'default': 'file', 'enum': ['file']}}, 'required': ['kind', 'path']}
    """
    first_paragraph(schema)
    if "kind" in schema["properties"]:
        kind = schema["properties"]["kind"]
        kind["enum"] = [kind["const"]]
        schema["required"] = ["kind", *schema.get("required", ())]
