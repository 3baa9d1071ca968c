"""Polars: `contains_any`, an Aho-Corasick automaton over all terms, case-sensitive."""

import datetime

import polars

from common import AS_OF, GATE_PERCENT, PURPOSE, Job

job = Job()
as_of = datetime.datetime.fromisoformat(AS_OF).replace(tzinfo=datetime.timezone.utc)
documents = polars.scan_parquet(job.files)

flags = documents.select(
    "id", "source", harmful=polars.col("body").str.contains_any(job.terms())
).select(
    "source", harmful_id=polars.when("harmful").then("id")
).collect(engine="streaming")

passing = (
    flags.group_by("source")
    .agg(rows=polars.len(), harmful=polars.col("harmful_id").count())
    .filter(polars.col("harmful") * 100 <= polars.col("rows") * GATE_PERCENT)
    .select("source", prov_source_harm_rate=polars.col("harmful") / polars.col("rows"))
)
harmful = flags.select(id="harmful_id").drop_nulls()
withdrawn = (
    polars.scan_parquet(job.consent)
    .filter(polars.col("purpose") == PURPOSE, polars.col("withdrawn_at") <= as_of)
    .select("subject_id")
    .unique()
)
licenses = (
    polars.scan_parquet(job.licenses)
    .filter(polars.col("verdict") == "allow")
    .select("license", prov_license="spdx")
)
(
    documents.join(passing.lazy(), on="source", how="inner")
    .join(licenses, on="license", how="inner")
    .join(harmful.lazy(), on="id", how="anti")
    .join(withdrawn, left_on="author", right_on="subject_id", how="anti")
    .sink_parquet(job.output / "part.parquet", compression="zstd", compression_level=3, engine="streaming")
)
job.finish(rows=flags.height, harmful=harmful.height)
