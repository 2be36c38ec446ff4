"""What a flow does, one step a module, in this order.

| step | modules |
|---|---|
| ingestion: a source as a snapshot | `ingest_table` |
| validation of the inputs | `validate_inputs` |
| blocking: the index of the reference table, candidate pairs | `index_reference_table`, `block_query_rows` |
| program search | `search_program` |
| which program the pipeline uses | `propose_program`, `current_program` |
| which query rows have to be looked at | `detect_changes` |
| joining, partition by partition | `join_query_rows`, `join_partition` |
| validation of the matches | `validate_matches` |
| materialisation: the matches into the warehouse | `materialise_matches` |
| publishing: what a person sees on the run's page | `publish_program`, `publish_result` |
| review: a person's answer to a proposed program | `compare_programs`, `review_proposal` |

Each is a thin shell over the library, or over `tasks.ingestion`, `tasks.validation` and `tasks.warehouse`.
"""
