"""Writes consent.parquet and subjects.parquet: tables.py FOLDER RECORDS SUBJECTS.

Ten records in eleven are the first ones of their subjects: 2 % withdrawn, 10 % expired, the
others in force. The eleventh is a second one of every tenth subject, given and withdrawn
before the first. So a subject has a consent in force exactly when one of its records has, and
a plain anti-join is right. Half of the asked subjects have no record; their order is random.
"""

import pathlib
import sys

import numpy
import pyarrow
import pyarrow.compute
from pyarrow import parquet

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
AT = 1_793_491_200 * SECOND  # 2026-11-01
ROWS = 1_000_000
TEXT = pyarrow.string()
TIME = pyarrow.timestamp("us", "UTC")


def ids(prefix: str, numbers: numpy.ndarray) -> pyarrow.Array:
    digits = pyarrow.compute.utf8_lpad(pyarrow.array(numbers).cast(pyarrow.string()), 10, "0")
    return pyarrow.compute.binary_join_element_wise(prefix, digits, "@example.invalid", "")


def field(name: str, kind: pyarrow.DataType = TEXT, nullable: bool = False) -> pyarrow.Field:
    return pyarrow.field(name, kind, nullable)


CONSENT = pyarrow.schema(
    [field(name) for name in ("subject_id", "purpose", "kind", "status")]
    + [field(name, TIME, True) for name in ("granted_at", "expires_at", "withdrawn_at")]
    + [field(name) for name in ("record_id", "evidence_uri", "subject_age_band")]
)
SUBJECTS = pyarrow.schema([field("number", pyarrow.int64()), field("subject_id")])


def consent(number: numpy.ndarray, subjects: int) -> pyarrow.Table:
    is_second = number >= subjects
    whose = numpy.where(is_second, (number - subjects) * 10 % subjects, number)
    granted = START + number % 50_000_000 * SECOND
    granted[is_second] = START - 200 * SECOND
    withdrawn = numpy.where(is_second, START - 100 * SECOND, granted + 3_600 * SECOND)
    expires = numpy.where(number % 10 == 3, granted + 86_400 * SECOND, AT + 86_400 * SECOND)
    record = pyarrow.array(number).cast(pyarrow.string())
    some = lambda words: pyarrow.array(words).take(pyarrow.array(number % len(words)))
    columns = [
        ids("user-", whose),
        some(["any", "model-training", "model-training"]),
        some(["general", "separate", "written", "guardian"]),
        some(["granted"]),
        pyarrow.array(granted).cast(TIME),
        pyarrow.array(expires).cast(TIME),
        pyarrow.array(withdrawn, mask=~(is_second | (number % 50 == 7))).cast(TIME),
        pyarrow.compute.binary_join_element_wise("rec", record, "-"),
        pyarrow.compute.binary_join_element_wise("s3://evidence/consent/rec-", record, ".pdf", ""),
        some(["18+"]),
    ]
    return pyarrow.Table.from_arrays(columns, schema=CONSENT)


def main() -> None:
    folder, records, asked = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    subjects = records * 10 // 11
    with parquet.ParquetWriter(folder / "consent.parquet", CONSENT, compression="snappy") as out:
        for start in range(0, records, ROWS):
            out.write_table(consent(numpy.arange(start, min(start + ROWS, records)), subjects), row_group_size=ROWS)
    random = numpy.random.default_rng(7)
    with parquet.ParquetWriter(folder / "subjects.parquet", SUBJECTS, compression="snappy", use_dictionary=False) as out:
        for start in range(0, asked, ROWS):
            number = numpy.arange(start, min(start + ROWS, asked))
            whose = random.integers(0, subjects, len(number)) + (number % 2) * subjects
            out.write_table(pyarrow.Table.from_arrays([number, ids("user-", whose)], schema=SUBJECTS), row_group_size=ROWS)


main()
