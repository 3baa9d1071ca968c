"""What the peers share: arguments, and the line of JSON each prints at its end.

Every job does the same work on the same files. First scan: which documents hold one of the
terms, and the share of them in each source. Second scan: keep the documents that hold none,
whose source has at most 5 % of them, whose licence allows the use, and whose author has not
withdrawn a consent to training; write them as Parquet (zstd, level 3) with two columns more,
`prov_license` (the SPDX id) and `prov_source_harm_rate`.
"""

import argparse
import json
import pathlib
import resource

AS_OF = "2026-11-01T00:00:00"
PURPOSE = "model-training"
GATE_PERCENT = 5


class Job:
    """Paths of one run. Made after the imports, so that their cost can be told apart."""

    def __init__(self):
        parser = argparse.ArgumentParser()
        parser.add_argument("data", type=pathlib.Path, help="folder written by corpus.py")
        parser.add_argument("output", type=pathlib.Path, help="empty folder for the result")
        arguments = parser.parse_args()
        self.data, self.output = arguments.data, arguments.output
        self.corpus = str(self.data / "corpus") + "/"
        self.files = str(self.data / "corpus" / "*.parquet")
        self.licenses = str(self.data / "licenses.parquet")
        self.consent = str(self.data / "consent.parquet")
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.start_cpu = usage.ru_utime + usage.ru_stime

    def terms(self) -> list[str]:
        return (self.data / "terms.txt").read_text(encoding="utf-8").split("\n")[:-1]

    def finish(self, **found) -> None:
        print(json.dumps({"start_cpu": self.start_cpu} | found))
