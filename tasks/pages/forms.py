"""How settings look in a form, and what is said of a setting that there is not."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, model_validator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FormSettings", "form", "source_form"]


class FormSettings(BaseModel):
    """Settings that refuse an unknown name by naming those there are, and the one that was probably meant.

    Examples
    --------
    >>> class Place(FormSettings):
    ...     schema_name: str = ""
    >>> Place.model_validate({"schema": "public"})
    Traceback (most recent call last):
    pydantic_core._pydantic_core.ValidationError: there is no setting 'schema'; write schema_name
    """

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_names(cls, given: object) -> object:
        if isinstance(given, Mapping):
            for name in given:
                if name not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_setting",
                        "there is no setting '{unknown}'{hint} (there are: {known})",
                        {"unknown": str(name), "hint": _hint(str(name), cls.model_fields), "known": _listed(cls)},
                    )
        return given


def _hint(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1) or [one for one in known if one.startswith(name)]
    return f"; write {near[0]}" if near else ""


def _listed(settings: type[BaseModel]) -> str:
    return ", ".join(settings.model_fields)


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
