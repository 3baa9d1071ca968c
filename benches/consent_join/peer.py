"""The anti-join in SQL: peer.py duckdb|datafusion FOLDER. Prints rows and the sum of their numbers."""

import sys

ENGINE, FOLDER = sys.argv[1:]
AT = "TIMESTAMP '2026-11-01 00:00:00'" if ENGINE == "datafusion" else "TIMESTAMPTZ '2026-11-01 00:00:00+00'"
SUBJECTS, CONSENT = (f"'{FOLDER}/{name}.parquet'" for name in ("subjects", "consent"))
if ENGINE == "datafusion":
    SUBJECTS, CONSENT = "subjects", "consent"
QUERY = f"""
    SELECT count(*), sum(number) FROM {SUBJECTS} AS asked WHERE NOT EXISTS (
        SELECT 1 FROM {CONSENT} AS given
        WHERE given.subject_id = asked.subject_id
          AND purpose IN ('model-training', 'any') AND status = 'granted' AND granted_at <= {AT}
          AND (expires_at IS NULL OR expires_at > {AT})
          AND (withdrawn_at IS NULL OR withdrawn_at > {AT}))
"""

if ENGINE == "duckdb":
    import duckdb

    rows, total = duckdb.execute("SET TimeZone = 'UTC'").execute(QUERY).fetchone()
else:
    import datafusion

    context = datafusion.SessionContext()
    for name in ("subjects", "consent"):
        context.register_parquet(name, f"{FOLDER}/{name}.parquet")
    (batch,) = [batch for batch in context.sql(QUERY).collect() if batch.num_rows]
    rows, total = (column[0].as_py() for column in batch.columns)
print(rows, int(total))
