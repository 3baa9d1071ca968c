"""DataFusion without a function of ours: `regexp_like` with all terms as one alternation."""

import re

import datafusion

from common import AS_OF, GATE_PERCENT, PURPOSE, Job

job = Job()
context = datafusion.SessionContext()
context.register_parquet("documents", job.corpus)
context.register_parquet("licenses", job.licenses)
context.register_parquet("consent", job.consent)
alternation = "|".join(re.escape(term) for term in job.terms()).replace("'", "''").replace("\\ ", " ")


def make_table(name: str, query: str) -> None:
    context.sql(f"CREATE TABLE {name} AS {query}").collect()


make_table("flags", f"SELECT source, CASE WHEN regexp_like(body, '{alternation}') THEN id END AS harmful_id FROM documents")
make_table(
    "passing",
    f"""SELECT source AS source_id, count(harmful_id) / CAST(count(*) AS DOUBLE) AS rate
        FROM flags GROUP BY source HAVING count(harmful_id) * 100 <= count(*) * {GATE_PERCENT}""",
)
make_table("harmful", "SELECT harmful_id FROM flags WHERE harmful_id IS NOT NULL")
make_table(
    "withdrawn",
    f"""SELECT DISTINCT subject_id FROM consent
        WHERE purpose = '{PURPOSE}' AND withdrawn_at <= TIMESTAMP '{AS_OF}+00:00'""",
)
context.sql(
    f"""COPY (
        SELECT documents.*, spdx AS prov_license, rate AS prov_source_harm_rate
        FROM documents
        JOIN passing ON source = source_id
        JOIN licenses ON documents.license = licenses.license AND verdict = 'allow'
        LEFT ANTI JOIN harmful ON id = harmful_id
        LEFT ANTI JOIN withdrawn ON author = subject_id
    ) TO '{job.output}/' STORED AS PARQUET OPTIONS (compression 'zstd(3)')"""
).collect()
(batch,) = context.sql("SELECT count(*) AS rows, count(harmful_id) AS harmful FROM flags").collect()
job.finish(rows=batch["rows"][0].as_py(), harmful=batch["harmful"][0].as_py())
