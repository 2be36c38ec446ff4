"""How settings look in a form."""

from __future__ import annotations

from typing import Any

__all__ = ["form", "source_form"]


def form(schema: dict[str, Any]) -> None:
    r"""Leave of a class's docstring what helps who fills in the form, and show the fields in their order and by name.

    >>> schema = {"description": "A table\nin a file.\n\nExamples\n--------", "properties": {"a_field": {}}}
    >>> form(schema)
    >>> schema
    {'description': 'A table in a file.', 'properties': {'a_field': {'position': 0, 'title': 'A Field'}}}
    """
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].partition("\n\n")[0].split())
    for place, (name, part) in enumerate(schema.get("properties", {}).items()):
        part["position"] = place
        part.setdefault("title", name.replace("_", " ").title())


def source_form(schema: dict[str, Any]) -> None:
    """As `form`; and `kind`, which tells the sources apart, must be given and is chosen, not typed.

    >>> schema = {"properties": {"columns": {}, "kind": {"const": "file"}, "path": {}}, "required": ["path"]}
    >>> source_form(schema)
    >>> schema["required"], schema["properties"]["kind"]["enum"], list(schema["properties"])
    (['kind', 'path'], ['file'], ['kind', 'path', 'columns'])
    """
    properties = schema["properties"]
    order = sorted(properties, key=lambda name: (name == "columns", name != "kind"))
    schema["properties"] = {name: properties[name] for name in order}
    form(schema)
    if "kind" in properties:
        kind = properties["kind"]
        kind["enum"] = [kind["const"]]
        schema["required"] = ["kind", *schema.get("required", ())]
