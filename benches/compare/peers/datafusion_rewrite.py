"""DataFusion reads everything and writes it again: the floor of any job that keeps its rows."""

import datafusion

from common import Job

job = Job()
context = datafusion.SessionContext()
context.register_parquet("documents", job.corpus)
context.sql(
    f"COPY (SELECT * FROM documents) TO '{job.output}/' STORED AS PARQUET OPTIONS (compression 'zstd(3)')"
).collect()
job.finish()
