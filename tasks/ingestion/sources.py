"""Where a table comes from, as settings that a form can show. None of them can hold a password."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from tasks.forms import first_paragraph

__all__ = ["DatabaseSource", "FileSource", "QuerySource", "Source", "TableSource"]

Parameter: TypeAlias = str | int | float | bool | None


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=first_paragraph)

    columns: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Columns to take: the id and the columns to compare. All, if none is named.",
    )


class FileSource(_Settings):
    """A table in a file.

    Examples
    --------
    >>> FileSource(path="towns.csv").kind
    'file'
    """

    kind: Literal["file"] = "file"
    path: str = Field(
        min_length=1, description="A file ending in .csv, .tsv or .parquet; .csv.gz and .tsv.gz are read as well."
    )


class DatabaseSource(_Settings):
    """What tables and queries share: the database they are read from."""

    url_variable: str = Field(
        default="FUZZYJOIN_SOURCE_URL",
        min_length=1,
        description=(
            "Name of the environment variable that holds the database's SQLAlchemy URL, such as "
            "postgresql+psycopg://user:password@host/database. The URL itself is never a setting."
        ),
    )
    secret_block: str | None = Field(
        default=None, min_length=1, description="Name of a Prefect Secret block that holds the URL instead."
    )


class TableSource(DatabaseSource):
    """A table or view of a database.

    Examples
    --------
    >>> TableSource(table="towns").url_variable
    'FUZZYJOIN_SOURCE_URL'
    """

    kind: Literal["table"] = "table"
    table: str = Field(min_length=1, description="Name of the table or view, without its schema.")
    schema_name: str | None = Field(
        default=None, min_length=1, description="The table's schema; the database's default schema if left out."
    )


class QuerySource(DatabaseSource):
    """The rows of a query.

    Examples
    --------
    >>> QuerySource(sql="SELECT id, name FROM towns WHERE country = :country", parameters={"country": "NO"}).kind
    'query'
    """

    kind: Literal["query"] = "query"
    sql: str = Field(
        min_length=1,
        description="One SELECT statement. Write :name where a parameter's value belongs.",
    )
    parameters: dict[str, Parameter] = Field(
        default_factory=dict, description="Values of the parameters that the statement names."
    )


Source: TypeAlias = Annotated[FileSource | TableSource | QuerySource, Field(discriminator="kind")]
"""Any of the sources; `kind` tells them apart."""
