"""Writes the corpus, lexicon, registries and truth of the comparison. Needs numpy and pyarrow.

    python benches/compare/corpus.py DIR [--gib 1] [--registry-rows 10000000] [--seed 7]

The same sizes and seed give the same rows. Memory does not grow with the sizes: documents
and consent records are written batch by batch.

    DIR/corpus/part-NNNN.parquet   id, body, source, license, author, url, fetched_at
    DIR/lexicon.csv                10,000 terms, half Chinese, half English
    DIR/terms.txt                  the terms alone, one a line, for the peers
    DIR/sources.parquet            200 sources, each with the evidence its mode needs
    DIR/licenses.parquet           spelling, SPDX id, verdict: for the peers
    DIR/consent.parquet            consent records
    DIR/subject.key                a key for subject references
    DIR/truth.json                 what every program has to find
"""

import argparse
import csv
import datetime
import json
import pathlib
import shutil

import numpy
import pyarrow
import pyarrow.parquet

import licenses
import words

VERSION = 1  # of this generator: other rows under the same sizes need another number
AS_OF = datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)
PURPOSE = "model-training"
GATE_PERCENT = 5

TERMS_PER_LANGUAGE = 5_000
UNITS_PER_LANGUAGE = 60_000
SOURCES = 200
BAD_SOURCES = 20
MEDIAN_BYTES = 2_048
SIGMA = 0.75  # of the logarithm of a document's length
SHORTEST, LONGEST = 200, 200_000
BATCH = 8_192  # documents, also the row group
FILE_BYTES = 128 << 20  # of text
AUTHORED = 0.2
WITHDRAWN = 0.02

# Every risk of the 5 % rule; the words mean nothing, so which one is arbitrary.
RISKS = [f"A{group}{letter}" for group, letters in ((1, "abcdefgh"), (2, "abcdefghi"), (3, "abcde"), (4, "abcdefg")) for letter in letters]

DOCUMENT_SCHEMA = pyarrow.schema(
    [
        pyarrow.field("id", pyarrow.string(), nullable=False),
        pyarrow.field("body", pyarrow.string()),
        pyarrow.field("source", pyarrow.string()),
        pyarrow.field("license", pyarrow.string()),
        pyarrow.field("author", pyarrow.string()),
        pyarrow.field("url", pyarrow.string()),
        pyarrow.field("fetched_at", pyarrow.timestamp("us", tz="UTC")),
    ]
)
TIME = pyarrow.timestamp("us", tz="UTC")
CONSENT_SCHEMA = pyarrow.schema(
    [
        ("subject_id", pyarrow.string()), ("purpose", pyarrow.string()), ("kind", pyarrow.string()),
        ("status", pyarrow.string()), ("granted_at", TIME), ("expires_at", TIME), ("withdrawn_at", TIME),
        ("record_id", pyarrow.string()), ("evidence_uri", pyarrow.string()), ("subject_age_band", pyarrow.string()),
    ]
)


def microseconds(year: int, month: int, day: int) -> int:
    return int(datetime.datetime(year, month, day, tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000


class Subjects:
    """Four records in five are somebody's consent to training; the rest are about a newsletter."""

    def __init__(self, rng: numpy.random.RandomState, records: int):
        self.records = records
        self.count = max(1, records * 4 // 5)
        self.withdrawn = rng.random_sample(self.count) < WITHDRAWN
        # Spreads subjects over the file: coprime to the count, so each comes exactly once.
        self.step = 48_271
        while numpy.gcd(self.step, self.count) != 1:
            self.step += 2

    def write(self, path: pathlib.Path) -> None:
        granted, expires = microseconds(2025, 3, 1), microseconds(2030, 3, 1)
        with pyarrow.parquet.ParquetWriter(path, CONSENT_SCHEMA, compression="zstd") as file:
            for start in range(0, self.records, 500_000):
                number = numpy.arange(start, min(start + 500_000, self.records), dtype=numpy.int64)
                training = number < self.count
                subject = number * self.step % self.count
                # A withdrawal of the newsletter must not count: every third record has one.
                withdrawn = numpy.where(training, self.withdrawn[subject], number % 3 == 0)
                size = len(number)
                columns = [
                    [f"s{n:08}" for n in subject.tolist()],
                    pyarrow.array(numpy.where(training, PURPOSE, "newsletter")),
                    pyarrow.array(["general"] * size),
                    pyarrow.array(["granted"] * size),
                    pyarrow.array(granted + number % 86_400 * 1_000_000).cast(TIME),
                    pyarrow.array(numpy.full(size, expires)).cast(TIME),
                    pyarrow.array(numpy.full(size, microseconds(2026, 9, 15)), mask=~withdrawn).cast(TIME),
                    [f"r{n:09}" for n in number.tolist()],
                    pyarrow.nulls(size, pyarrow.string()),
                    pyarrow.nulls(size, pyarrow.string()),
                ]
                file.write_table(pyarrow.table(columns, schema=CONSENT_SCHEMA))


def write_lexicon(directory: pathlib.Path, rng: numpy.random.RandomState, languages) -> dict[str, list[str]]:
    terms = {language.lang: language.terms(rng, TERMS_PER_LANGUAGE) for language in languages}
    with open(directory / "lexicon.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["term", "risk", "weight", "match", "lang", "variants", "note"])
        for lang, list_of_terms in terms.items():
            for number, term in enumerate(list_of_terms):
                weight = 0.6 + number % 5 / 10
                table.writerow([term, RISKS[number % len(RISKS)], f"{weight:.1f}", "auto", lang, "", ""])
    everything = [term for list_of_terms in terms.values() for term in list_of_terms]
    (directory / "terms.txt").write_text("\n".join(everything) + "\n", encoding="utf-8")
    return terms


def write_sources(path: pathlib.Path) -> None:
    modes = ["open_source", "self_collected", "commercial", "synthetic"]
    rows = []
    for number in range(SOURCES):
        mode = modes[number % len(modes)]
        row = {
            "source_id": f"source-{number:03}", "acquisition_mode": mode, "origin_region": "cn" if number % 3 else "overseas",
            "license": None, "license_evidence_uri": None, "license_evidence_sha256": None, "contract_id": None,
            "contract_valid_from": None, "contract_valid_to": None, "commitment_source": None,
            "commitment_quality": None, "commitment_security": None, "audit_status": None, "audit_date": None,
            "crawl_record_uri": None, "authorization_record_uri": None, "is_link_list": False, "gen_model": None,
            "gen_model_version": None, "vertical": None,
        }
        if mode == "open_source":
            row |= {"license": "CC-BY-4.0", "license_evidence_uri": f"evidence/{number}.txt", "license_evidence_sha256": f"{number:064x}"}
        elif mode == "self_collected":
            row |= {"crawl_record_uri": f"evidence/{number}.csv"}
        elif mode == "commercial":
            row |= {
                "contract_id": f"C-{number}", "contract_valid_from": datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc),
                "contract_valid_to": datetime.datetime(2029, 1, 1, tzinfo=datetime.timezone.utc),
                "commitment_source": True, "commitment_quality": True, "commitment_security": True,
                "audit_status": "passed", "audit_date": datetime.datetime(2026, 1, 15, tzinfo=datetime.timezone.utc),
            }
        else:
            row |= {"gen_model": "generator", "gen_model_version": "1"}
        rows.append(row)
    booleans = {"commitment_source", "commitment_quality", "commitment_security", "is_link_list"}
    times = {"contract_valid_from", "contract_valid_to", "audit_date"}
    kind = lambda name: pyarrow.bool_() if name in booleans else TIME if name in times else pyarrow.string()
    schema = pyarrow.schema([(name, kind(name)) for name in rows[0]])
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), path)


class Truth:
    """Counts as the generator plants; the arithmetic of the gate is in whole numbers."""

    def __init__(self):
        self.rows = numpy.zeros(SOURCES, dtype=numpy.int64)
        self.harmful = numpy.zeros(SOURCES, dtype=numpy.int64)
        # Rows that would be kept if their source passes, and the sum of their numbers.
        self.clean = numpy.zeros(SOURCES, dtype=numpy.int64)
        self.clean_sum = numpy.zeros(SOURCES, dtype=numpy.int64)
        self.text_bytes = 0

    def add(self, numbers, source, harmful, clean, text_bytes: int) -> None:
        self.rows += numpy.bincount(source, minlength=SOURCES)
        self.harmful += numpy.bincount(source[harmful], minlength=SOURCES)
        self.clean += numpy.bincount(source[clean], minlength=SOURCES)
        for of_source, number in zip(source[clean].tolist(), numbers[clean].tolist()):
            self.clean_sum[of_source] += number
        self.text_bytes += text_bytes

    def as_dict(self) -> dict:
        refused = self.harmful * 100 > self.rows * GATE_PERCENT
        return {
            "rows": int(self.rows.sum()),
            "text_bytes": int(self.text_bytes),
            "harmful": int(self.harmful.sum()),
            "refused_sources": [f"source-{n:03}" for n in numpy.flatnonzero(refused).tolist()],
            "kept": int(self.clean[~refused].sum()),
            "kept_id_sum": int(self.clean_sum[~refused].sum()),
        }


class Documents:
    """Batches of documents, and what of them is to be kept."""

    def __init__(self, rng, languages, terms, subjects: Subjects):
        self.rng, self.languages, self.terms, self.subjects = rng, languages, terms, subjects
        self.units = {
            language.lang: language.units(rng, UNITS_PER_LANGUAGE, terms[language.lang]) for language in languages
        }
        self.unit_bytes = {
            lang: sum(len(unit.encode()) for unit in units) / len(units) for lang, units in self.units.items()
        }
        order = rng.permutation(SOURCES)
        self.source_of = lambda count: order[words.draw(rng, words.zipf(SOURCES), count)]
        self.harm_rate = rng.random_sample(SOURCES) * 0.04
        # Spread over popular and rare sources alike.
        bad = order[numpy.arange(BAD_SOURCES) * (SOURCES // BAD_SOURCES) + 3]
        self.harm_rate[bad] = 0.08 + rng.random_sample(BAD_SOURCES) * 0.1

    def body(self, language, length: float, terms: list[str]) -> str:
        units = self.units[language.lang]
        count = max(1, round(length / self.unit_bytes[language.lang]))
        chosen = [units[n] for n in self.rng.randint(0, len(units), count).tolist()]
        for term in terms:
            at = self.rng.randint(0, count)
            chosen[at] = language.plant(chosen[at], term)
        return "".join(chosen).rstrip()

    def batch(self, start: int, count: int, truth: Truth) -> pyarrow.Table:
        rng = self.rng
        numbers = numpy.arange(start, start + count, dtype=numpy.int64)
        source = self.source_of(count)
        harmful = rng.random_sample(count) < self.harm_rate[source]
        lengths = numpy.clip(MEDIAN_BYTES * numpy.exp(rng.standard_normal(count) * SIGMA), SHORTEST, LONGEST)
        allowed = rng.random_sample(count) < 0.9
        authored = rng.random_sample(count) < AUTHORED
        subject = rng.randint(0, self.subjects.count, count)
        withdrawn = authored & self.subjects.withdrawn[subject]
        which = rng.random_sample(count)

        bodies, spellings, text_bytes = [], [], 0
        for n in range(count):
            language = self.languages[rng.randint(0, len(self.languages))]
            planted = [self.terms[language.lang][k] for k in rng.randint(0, TERMS_PER_LANGUAGE, rng.randint(1, 4))] if harmful[n] else []
            body = self.body(language, lengths[n], planted)
            bodies.append(body)
            text_bytes += len(body.encode())
            table = licenses.ALLOWED if allowed[n] else licenses.NOT_ALLOWED
            spellings.append(table[int(which[n] * len(table))][0])

        truth.add(numbers, source, harmful, ~harmful & allowed & ~withdrawn, text_bytes)
        fetched = microseconds(2026, 2, 1) + rng.randint(0, 200 * 86_400, count).astype(numpy.int64) * 1_000_000
        columns = [
            [f"d{n:010}" for n in numbers.tolist()],
            bodies,
            [f"source-{n:03}" for n in source.tolist()],
            pyarrow.array(spellings, pyarrow.string()),
            pyarrow.array([f"s{n:08}" if has else None for n, has in zip(subject.tolist(), authored)], pyarrow.string()),
            [f"https://site-{s:03}.example.org/{n}" for s, n in zip(source.tolist(), numbers.tolist())],
            pyarrow.array(fetched).cast(TIME),
        ]
        return pyarrow.table(columns, schema=DOCUMENT_SCHEMA)


def write_documents(directory: pathlib.Path, documents: Documents, text_bytes: int) -> Truth:
    truth = Truth()
    folder = directory / "corpus"
    folder.mkdir()
    # At least four files, so that nobody who reads files in parallel starves on small sizes.
    per_file = min(FILE_BYTES, max(1, text_bytes // 4))
    # Small corpora get small batches, or the first one would already be too much.
    batch = min(BATCH, max(64, per_file // 4 // MEDIAN_BYTES))
    rows, number = 0, 0
    while truth.text_bytes < text_bytes:
        end = min(truth.text_bytes + per_file, text_bytes)
        path = folder / f"part-{number:04}.parquet"
        with pyarrow.parquet.ParquetWriter(path, DOCUMENT_SCHEMA, compression="zstd", compression_level=3) as file:
            while truth.text_bytes < end:
                file.write_table(documents.batch(rows, batch, truth))
                rows += batch
        number += 1
    return truth


def specification(arguments) -> dict:
    return {"version": VERSION, "gib": arguments.gib, "registry_rows": arguments.registry_rows, "seed": arguments.seed}


def generate(directory: pathlib.Path, arguments) -> dict:
    """Writes everything, or finds it written already. Returns the truth."""
    finished = directory / "truth.json"
    if finished.exists():
        truth = json.loads(finished.read_text())
        if truth["specification"] == specification(arguments):
            return truth
    # Only a folder of ours is emptied.
    if directory.exists() and any(directory.iterdir()) and not (directory / "terms.txt").exists():
        raise SystemExit(f"{directory} is not empty and holds no corpus of this generator")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)

    rng = numpy.random.RandomState(arguments.seed)
    languages = [words.Chinese(rng), words.English(rng)]
    terms = write_lexicon(directory, rng, languages)
    write_sources(directory / "sources.parquet")
    table = [{"license": raw, "spdx": spdx, "verdict": "allow" if ok else "deny"} for raw, spdx, ok in licenses.SPELLINGS]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), directory / "licenses.parquet")
    (directory / "subject.key").write_text("key of the comparison, not of anybody\n")
    subjects = Subjects(rng, arguments.registry_rows)
    subjects.write(directory / "consent.parquet")
    truth = write_documents(directory, Documents(rng, languages, terms, subjects), int(arguments.gib * (1 << 30)))

    result = {"specification": specification(arguments)} | truth.as_dict()
    finished.write_text(json.dumps(result, indent=2) + "\n")
    return result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gib", type=float, default=1.0, help="GiB of text (default 1)")
    parser.add_argument("--registry-rows", type=int, default=10_000_000, help="consent records (default 10,000,000)")
    parser.add_argument("--seed", type=int, default=7)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    add_arguments(parser)
    arguments = parser.parse_args()
    print(json.dumps(generate(arguments.directory, arguments), indent=2))


if __name__ == "__main__":
    main()
