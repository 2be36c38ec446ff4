"""Where a table comes from, as settings that a form can show. None of them can hold a password."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field

from fuzzyjoin.files import Layout
from tasks.pages.forms import FormSettings, source_form

__all__ = ["DatabaseSource", "FileSource", "InputSource", "QuerySource", "TableSource"]

Parameter: TypeAlias = str | int | float | bool | None


class _Settings(FormSettings):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=source_form)

    columns: tuple[str, ...] = Field(
        default=(), description="Columns to take: the id and the columns to compare. All, if none is named."
    )


def _without_default(schema: dict[str, Any]) -> None:
    """Keep a default out of the form, which fills defaults in and takes the source with most values for the chosen."""
    schema.pop("default")


class FileSource(_Settings):
    """A table in a file.

    Examples
    --------
    >>> FileSource(path="towns.csv").kind
    'file'
    """

    model_config = ConfigDict(title="File")

    kind: Literal["file"] = "file"
    path: str = Field(
        min_length=1,
        description="A file ending in .csv, .tsv, .jsonl, .ndjson, .xlsx or .parquet; .csv.gz and the like too.",
    )
    delimiter: Literal["found", ",", ";", "tab", "|"] = Field(
        default="found",
        description="What stands between the fields of a CSV or TSV file. If empty: found.",
        json_schema_extra=_without_default,
    )
    encoding: str = Field(
        default="",
        description=(
            "Encoding of a CSV or TSV file, such as windows-1250. If empty: UTF-8, UTF-16 with a byte order mark, or "
            "Windows-1252 where that is sure."
        ),
        json_schema_extra=_without_default,
    )
    sheet: str = Field(
        default="",
        description="Sheet of an Excel workbook. If empty: the first that holds anything.",
        json_schema_extra=_without_default,
    )

    @property
    def layout(self) -> Layout:
        """How the table is laid out in the file, as far as it is said.

        Raises
        ------
        UsageError
            If the encoding is unknown.
        """
        delimiter = None if self.delimiter == "found" else self.delimiter
        return Layout(delimiter, self.encoding or None, self.sheet or None)


class DatabaseSource(_Settings):
    """What tables and queries share: the database they are read from."""

    url_variable: str = Field(
        default="FUZZYJOIN_SOURCE_URL",
        min_length=1,
        description=(
            "Name of the environment variable that holds the database's URL, such as "
            "postgresql://user:password@host/database. The URL itself is never a setting."
        ),
    )
    url_block: str = Field(
        default="", description="Name of a Prefect Secret block that holds the URL instead; empty for none."
    )


class TableSource(DatabaseSource):
    """A table or view of a database.

    Examples
    --------
    >>> TableSource(table="towns").url_variable
    'FUZZYJOIN_SOURCE_URL'
    """

    model_config = ConfigDict(title="Table")

    kind: Literal["table"] = "table"
    table: str = Field(min_length=1, description="Name of the table or view, without its schema.")
    schema_name: str = Field(default="", description="The table's schema; if empty, the database's default schema.")


class QuerySource(DatabaseSource):
    """The rows of a query.

    Examples
    --------
    >>> QuerySource(sql="SELECT id, name FROM towns WHERE country = :country", parameters={"country": "NO"}).kind
    'query'
    """

    model_config = ConfigDict(title="Query")

    kind: Literal["query"] = "query"
    sql: str = Field(
        min_length=1,
        description="One SELECT statement. Write :name where a parameter's value belongs.",
    )
    parameters: dict[str, Parameter] = Field(
        default_factory=dict, description="Values of the parameters that the statement names."
    )


InputSource: TypeAlias = Annotated[FileSource | TableSource | QuerySource, Field(discriminator="kind")]
"""Any of the sources; `kind` tells them apart."""
