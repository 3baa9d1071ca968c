"""DuckDB with a vectorised Python function over Arrow, the automaton from `ahocorasick_rs`.

Its own means do not reach ten thousand terms: `regexp_matches` leaves its state budget at a
few hundred, and a join on `contains` grows with their number.
"""

import ahocorasick_rs
import duckdb
import pyarrow

from common import AS_OF, GATE_PERCENT, PURPOSE, Job

job = Job()
automaton = ahocorasick_rs.AhoCorasick(job.terms(), matchkind=ahocorasick_rs.MatchKind.Standard)


def is_harmful(bodies: pyarrow.ChunkedArray) -> pyarrow.Array:
    find = automaton.find_matches_as_indexes
    return pyarrow.array([bool(find(body)) for body in bodies.to_pylist()], pyarrow.bool_())


connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
connection.create_function("is_harmful", is_harmful, ["VARCHAR"], "BOOLEAN", type="arrow")
connection.execute(f"CREATE TABLE flags AS SELECT source, CASE WHEN is_harmful(body) THEN id END AS harmful_id FROM '{job.files}'")
connection.execute(
    f"""CREATE TABLE passing AS SELECT source, count(harmful_id) / count(*) AS rate
        FROM flags GROUP BY source HAVING count(harmful_id) * 100 <= count(*) * {GATE_PERCENT}"""
)
connection.execute(
    f"""COPY (
        SELECT documents.*, spdx AS prov_license, rate AS prov_source_harm_rate
        FROM '{job.files}' AS documents
        JOIN passing ON passing.source = documents.source
        JOIN '{job.licenses}' AS licenses ON licenses.license = documents.license AND verdict = 'allow'
        ANTI JOIN (SELECT harmful_id FROM flags WHERE harmful_id IS NOT NULL) AS harmful ON harmful_id = documents.id
        ANTI JOIN (
            SELECT DISTINCT subject_id FROM '{job.consent}'
            WHERE purpose = '{PURPOSE}' AND withdrawn_at <= TIMESTAMPTZ '{AS_OF}+00'
        ) AS withdrawn ON subject_id = documents.author
    ) TO '{job.output}/part.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)"""
)
rows, harmful = connection.execute("SELECT count(*), count(harmful_id) FROM flags").fetchone()
job.finish(rows=rows, harmful=harmful)
