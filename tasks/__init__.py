"""Steps of the pipeline around the library: tables in, validation, tables out. Runs from a checkout, not the wheel."""
