"""Writes the quickstart corpus and its registries. Needs pyarrow; run from anywhere.

    python examples/quickstart/make.py

Everything written here is committed, so nobody has to run this. The seed is fixed: the
same pyarrow gives the same bytes (the committed files: pyarrow 26). What each row group is
for, and the verdicts to expect, stand in README.md; this file fails when the rows it made
do not give the counts written there.
"""

import collections
import csv
import dataclasses
import datetime
import hashlib
import pathlib
import random
import shutil

import pyarrow
import pyarrow.parquet

import sentences

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = "examples/quickstart"  # uris are relative to the working directory
SEED = 20261101
UTC = datetime.timezone.utc
FIRST_FETCH = datetime.datetime(2026, 2, 1, 6, 0, tzinfo=UTC)

SCHEMA = pyarrow.schema(
    [
        pyarrow.field("id", pyarrow.string(), nullable=False),
        pyarrow.field("body", pyarrow.string()),
        pyarrow.field("source", pyarrow.string()),
        pyarrow.field("license", pyarrow.string()),
        pyarrow.field("author", pyarrow.string()),
        pyarrow.field("url", pyarrow.string()),
        pyarrow.field("fetched_at", pyarrow.timestamp("us", tz="UTC")),
        pyarrow.field(
            "meta",
            pyarrow.struct(
                [
                    pyarrow.field("tokens", pyarrow.int32()),
                    pyarrow.field("tags", pyarrow.list_(pyarrow.string())),
                ]
            ),
        ),
        pyarrow.field("quality", pyarrow.float64()),
    ]
)

# Sources: how the data was acquired, and the licences its rows state, as people spell them.
LICENSES = {
    "open-handbook": [
        "CC BY 4.0", "cc-by-4.0", "Creative Commons Attribution 4.0 International", "CC-BY 4.0",
        "https://creativecommons.org/licenses/by/4.0/", "Apache License, Version 2.0", "apache-2.0",
        "Apache 2.0", "MIT", "MIT License", "The MIT License", "BSD-3-Clause", "CC0-1.0", "CC0 1.0",
        "MulanPSL-2.0",
    ],
    "licensed-encyclopedia": ["CDLA-Permissive-2.0"],
    "town-pages": ["CC BY 4.0", "CC0-1.0", "cc0-1.0"],
    "message-board": ["CC-BY-4.0"],
    "forum-answers": ["CC-BY-4.0", "CC BY 4.0"],
    "model-drafts": ["CC0-1.0"],
}
URLS = {
    "open-handbook": "https://handbook.example.org/{lang}/{topic}/{number}",
    "town-pages": "https://town.example.org/pages/{number}.html",
    "message-board": "https://board.example.com/t/{number}",
    "forum-answers": "https://forum.example.com/answers/{number}",
}

# What the sites said of their pages, fetched every four weeks while they were crawled. From the
# fourth time on the town keeps its pages 1070 to 1079 to itself; for one page a header has
# reserved the rights to text and data mining all along.
SNAPSHOT_EVERY = datetime.timedelta(days=28)
SNAPSHOTS = 8
ROBOTS = {
    "handbook.example.org": ["User-agent: *\nAllow: /\n"] * SNAPSHOTS,
    "town.example.org": ["User-agent: *\nDisallow: /login\n"] * 3
    + ["User-agent: *\nDisallow: /login\n\nUser-agent: GPTBot\nDisallow: /login\nDisallow: /pages/107\n"] * (SNAPSHOTS - 3),
    "board.example.com": ["User-agent: *\nDisallow: /private/\nContent-Signal: search=yes, ai-train=yes\n"] * SNAPSHOTS,
}
CLOSED_PAGES = "https://town.example.org/pages/107"
RESERVED_PAGE = "https://town.example.org/pages/1085.html"
BLOCKED_PAGE = "https://town.example.org/pages/1066.html"

# Personal information of somebody who was not asked: it does not stay in the text. The domain and
# the number are set aside for examples.
CONTACTS = {
    "zh": "投稿请发到bianji@handbook.example.org，两周内回复。",
    "en": " Questions go to Jane at +1 202-555-0143.",
}

# A header that says something else than the licence column.
FOREIGN_HEADER = "# SPDX-License-Identifier: GPL-3.0-or-later\n\n"

# One sentence each, put into the middle of an ordinary text. The phrases are entries of the
# built-in lexicon; two are written the way people write to get past a filter.
HARMFUL = {
    "zh": {
        "gambling": "网上赌场开户，注册送彩金，随时可以提现。",
        "counterfeit": "专业办证刻章，立等可取，全国包邮。",
        "spaced": "诚聘刷单\u200b兼职\u200b日结，做满三天就结账。",
    },
    "en": {
        "fraud": "Click here to claim your prize, then pay the transfer fee to release the funds.",
        "threat": "Pay us or we publish everything you ever wrote.",
        "wide": "Join today: ｎｏ ｄｅｐｏｓｉｔ ｃａｓｉｎｏ ｂｏｎｕｓ for every new member.",
    },
}

# Who agreed to what at the job's `as_of`, 2026-11-01.
# (subject, purpose, kind, status, granted, expires, withdrawn, age band)
CONSENTS = [
    *((f"user-{n:03}", "model-training", "general", "granted", "2025-03-01", "2028-03-01", "", "18-24") for n in range(1, 15)),
    ("user-021", "model-training", "separate", "granted", "2025-04-02", "2027-04-02", "", "35-44"),
    ("user-022", "model-training", "separate", "granted", "2025-04-03", "", "", "25-34"),
    ("user-023", "model-training", "written", "granted", "2025-04-04", "", "", "65+"),
    ("user-031", "model-training", "guardian", "granted", "2025-05-05", "2027-05-05", "", "under14"),
    ("user-032", "model-training", "guardian", "granted", "2025-05-06", "2027-05-06", "", "0-13"),
    # Withdrawn: once in the record of the grant, once in a record beside one that still stands.
    ("user-041", "model-training", "general", "granted", "2025-03-10", "2028-03-10", "2026-09-15", "25-34"),
    ("user-042", "model-training", "general", "granted", "2025-03-11", "2028-03-11", "2026-10-20", "25-34"),
    ("user-042", "model-training", "separate", "granted", "2025-06-11", "2028-06-11", "", "25-34"),
    # Granted once, over since June.
    ("user-051", "model-training", "general", "granted", "2025-06-30", "2026-06-30", "", "45-54"),
    # Never asked about training.
    ("user-052", "newsletter", "separate", "granted", "2025-06-30", "2026-06-30", "", "18-24"),
    ("user-061", "model-training", "general", "refused", "", "", "", "35-44"),
    ("user-062", "model-training", "general", "refused", "", "", "", "18-24"),
    # Another purpose never decides about training.
    ("user-001", "newsletter", "general", "refused", "", "", "", "18-24"),
    ("user-061", "newsletter", "general", "granted", "2025-03-01", "", "", "35-44"),
    *((f"author-{n:03}", "model-training", "general", "granted", "2024-11-20", "2029-11-20", "", "") for n in range(1, 5)),
    ("author-005", "model-training", "general", "granted", "2024-11-20", "2029-11-20", "2026-08-08", ""),
]
GRANTED_USERS = [f"user-{n:03}" for n in range(1, 15)]
GRANTED_AUTHORS = [f"author-{n:03}" for n in range(1, 5)]


@dataclasses.dataclass
class Group:
    """One row group: how many rows of which source, and what is wrong with some of them."""

    source: str
    rows: int
    # Position in the group -> key of HARMFUL.
    harmful: dict[int, str] = dataclasses.field(default_factory=dict)
    # Position -> licence instead of the source's own spellings.
    licenses: dict[int, str] = dataclasses.field(default_factory=dict)
    # Positions whose text begins with FOREIGN_HEADER.
    headers: tuple[int, ...] = ()
    # Positions whose text ends with CONTACTS.
    contacts: tuple[int, ...] = ()
    # Position -> subject; with `all_authored` every other row has a subject who agreed.
    authors: dict[int, str] = dataclasses.field(default_factory=dict)
    all_authored: bool = False


@dataclasses.dataclass
class Part:
    """One file. `options` go to the Parquet writer."""

    path: str
    groups: list[Group]
    options: dict


PARTS = [
    Part(
        "lang=zh/part-0.parquet",
        [
            Group("open-handbook", 30, contacts=(2,), authors={4: "author-001", 11: "author-002", 19: "author-003"}),
            Group(
                "open-handbook", 30,
                harmful={17: "gambling"},
                licenses={3: "CC-BY-NC-4.0", 21: "CC BY-NC-SA 4.0", 7: "CC BY", 13: "CC BY", 26: "CC-BY"},
            ),
            Group("town-pages", 30, harmful={9: "gambling", 22: "counterfeit"}),
        ],
        {"compression": "snappy"},
    ),
    Part(
        "lang=zh/part-1.parquet",
        [
            Group("licensed-encyclopedia", 40),
            Group("message-board", 30, harmful={2: "gambling", 12: "spaced", 25: "counterfeit"}),
            Group(
                "forum-answers", 35, all_authored=True,
                authors={
                    1: "user-021", 6: "user-022", 14: "user-023", 9: "user-031", 20: "user-032",
                    4: "user-041", 17: "user-042", 11: "user-051", 28: "user-052", 23: "user-061", 31: "user-062",
                },
            ),
        ],
        {"compression": "zstd"},
    ),
    Part(
        "lang=zh/part-2.parquet",
        [Group("model-drafts", 13), Group("model-drafts", 12)],
        {"compression": "zstd", "write_page_checksum": True},
    ),
    Part(
        "lang=en/part-0.parquet",
        [
            Group(
                "open-handbook", 40,
                licenses={8: "CC BY-NC 4.0", 15: "CC BY", 30: "cc by", 20: "MIT"},
                headers=(20,),
                authors={5: "author-004", 12: "author-001", 22: "author-002", 33: "author-005"},
            ),
            Group("licensed-encyclopedia", 30),
        ],
        {"compression": "snappy"},
    ),
    Part(
        "lang=en/part-1.parquet",
        [
            Group("town-pages", 30, harmful={16: "fraud"}, contacts=(10,)),
            Group("message-board", 30, harmful={5: "fraud", 14: "threat", 27: "wide"}),
            Group(
                "forum-answers", 25, all_authored=True,
                authors={
                    2: "user-021", 8: "user-023", 13: "user-031", 18: "user-032",
                    5: "user-041", 15: "user-042", 10: "user-051", 21: "user-061",
                },
                # Two findings on one row: the licence alone would be for review.
                licenses={15: "CC BY"},
            ),
        ],
        {"compression": "zstd"},
    ),
    Part(
        "lang=en/part-2.parquet",
        [Group("model-drafts", 13), Group("model-drafts", 12)],
        {"compression": "snappy", "data_page_version": "2.0"},
    ),
]


class Writer:
    """Makes texts that never repeat."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.seen: set[str] = set()

    def text(self, lang: str, harmful: str | None) -> tuple[str, str]:
        """A text and its topic."""
        topics = sentences.CHINESE if lang == "zh" else sentences.ENGLISH
        joint = "" if lang == "zh" else " "
        while True:
            topic = self.rng.choice(list(topics))
            chosen = sorted(self.rng.sample(range(len(topics[topic])), self.rng.randint(3, 6)))
            words = {slot: self.rng.choice(values) for slot, values in sentences.SLOTS.items()}
            lines = [topics[topic][n].format(**words) for n in chosen]
            if harmful is not None:
                lines.insert(self.rng.randint(1, len(lines) - 1), HARMFUL[lang][harmful])
            text = joint.join(lines)
            if text not in self.seen:
                self.seen.add(text)
                return text, topic


def make_rows(part: Part, rng: random.Random, writer: Writer, numbers) -> list[list[dict]]:
    lang = part.path[len("lang=") :].split("/")[0]
    groups = []
    for group in part.groups:
        rows = []
        for position in range(group.rows):
            number = next(numbers)
            text, topic = writer.text(lang, group.harmful.get(position))
            if position in group.contacts:
                text += CONTACTS[lang]
            if position in group.headers:
                text = FOREIGN_HEADER + text
            author = group.authors.get(position)
            if author is None and group.all_authored:
                author = rng.choice(GRANTED_USERS)
            url = URLS.get(group.source)
            rows.append(
                {
                    "id": f"q{number:04}",
                    "body": text,
                    "source": group.source,
                    "license": group.licenses.get(position, rng.choice(LICENSES[group.source])),
                    "author": author,
                    "url": url and url.format(lang=lang, topic=topic, number=1000 + number),
                    "fetched_at": FIRST_FETCH + datetime.timedelta(minutes=rng.randrange(200 * 24 * 60)),
                    "meta": {
                        "tokens": len(text) if lang == "zh" else len(text.split()),
                        "tags": [topic] if rng.random() < 0.8 else [],
                    },
                    "quality": None if rng.random() < 0.05 else round(rng.uniform(0.3, 1.0), 3),
                }
            )
        groups.append(rows)
    return groups


def expected(row: dict, harmful: bool, refused: set[str]) -> str:
    """The verdict this row was made for."""
    not_consenting = {"user-041", "user-042", "user-051", "user-052", "user-061", "user-062", "author-005"}
    license_word = row["license"].lower().replace("-", " ")
    if row["source"] in refused or harmful or row["author"] in not_consenting or " nc" in license_word:
        return "drop"
    if row["url"] in (RESERVED_PAGE, BLOCKED_PAGE) or is_closed(row):
        return "drop"
    return "review" if license_word == "cc by" or row["body"].startswith(FOREIGN_HEADER) else "keep"


def snapshot_times() -> list[datetime.datetime]:
    first = FIRST_FETCH - datetime.timedelta(minutes=30)
    return [first + number * SNAPSHOT_EVERY for number in range(SNAPSHOTS)]


def is_closed(row: dict) -> bool:
    """Whether the site kept the page to itself when it was collected."""
    return (row["url"] or "").startswith(CLOSED_PAGES) and row["fetched_at"] >= snapshot_times()[3]


def count(made: list[tuple[dict, bool]]) -> dict[str, collections.Counter]:
    """Rows by source and verdict."""
    rows, bad = collections.Counter(), collections.Counter()
    for row, harmful in made:
        rows[row["source"]] += 1
        bad[row["source"]] += harmful
    refused = {source for source in rows if bad[source] * 100 > rows[source] * 5}
    table: dict[str, collections.Counter] = {source: collections.Counter() for source in sorted(rows)}
    for row, harmful in made:
        table[row["source"]][expected(row, harmful, refused)] += 1
        table[row["source"]]["harmful"] += harmful
    return table


def write_corpus() -> list[tuple[dict, bool]]:
    rng = random.Random(SEED)
    writer = Writer(rng)
    numbers = iter(range(1, 10_000))
    shutil.rmtree(HERE / "corpus", ignore_errors=True)
    made = []
    for part in PARTS:
        path = HERE / "corpus" / part.path
        path.parent.mkdir(parents=True, exist_ok=True)
        groups = make_rows(part, rng, writer, numbers)
        with pyarrow.parquet.ParquetWriter(path, SCHEMA, **part.options) as file:
            for rows in groups:
                file.write_table(pyarrow.Table.from_pylist(rows, schema=SCHEMA))
        for group, rows in zip(part.groups, groups):
            made.extend((row, position in group.harmful) for position, row in enumerate(rows))
    return made


EVIDENCE = {
    "open-handbook-licence.txt": (
        "Licence statement of the handbook (made up for the quickstart).\n"
        "Every page states its own licence in the column `license`. Pages without one are not published.\n"
    ),
    "licensed-encyclopedia-contract.txt": (
        "Summary of supply contract C-2025-017 (made up for the quickstart).\n"
        "In force 2025-01-01 to 2027-12-31. The supplier commits to the origin, the quality and the\n"
        "security of the data; an audit of data and commitments was passed on 2026-01-15.\n"
    ),
    "town-pages-crawl.csv": (
        "crawl_id,started_at,finished_at,seed,robots_txt,pages\n"
        "town-2026-02,2026-02-01T06:00:00Z,2026-08-20T05:59:00Z,https://town.example.org/,"
        "allows all,60\n"
    ),
    "message-board-crawl.csv": (
        "crawl_id,started_at,finished_at,seed,robots_txt,pages\n"
        "board-2026-02,2026-02-01T06:00:00Z,2026-08-20T05:59:00Z,https://board.example.com/,"
        "allows all,60\n"
    ),
    "forum-answers-authorisation.txt": (
        "Authorisation record of the forum (made up for the quickstart).\n"
        "Members were asked on registration and in March 2025; each answer is one row of consent.csv.\n"
    ),
}

SOURCE_COLUMNS = [
    "source_id", "acquisition_mode", "origin_region", "license", "license_evidence_uri",
    "license_evidence_sha256", "contract_id", "contract_valid_from", "contract_valid_to",
    "commitment_source", "commitment_quality", "commitment_security", "audit_status", "audit_date",
    "crawl_record_uri", "authorization_record_uri", "is_link_list", "gen_model", "gen_model_version",
    "gen_at", "contract_evidence_uri", "contract_evidence_sha256", "commitment_evidence_uri",
    "commitment_evidence_sha256", "audit_report_uri", "audit_report_sha256", "crawl_record_sha256",
    "authorization_record_sha256", "opt_out_snapshot_uri", "opt_out_snapshot_sha256", "vertical",
]


def source_rows() -> list[dict]:
    evidence = f"{FOLDER}/evidence"

    def proof(column: str, name: str) -> dict:
        digest = hashlib.sha256(EVIDENCE[name].encode()).hexdigest()
        return {f"{column}_uri": f"{evidence}/{name}", f"{column}_sha256": digest}

    contract = "licensed-encyclopedia-contract.txt"
    snapshots = {
        "opt_out_snapshot_uri": f"{FOLDER}/opt_out.csv",
        "opt_out_snapshot_sha256": hashlib.sha256((HERE / "opt_out.csv").read_bytes()).hexdigest(),
    }
    return [
        {
            "source_id": "open-handbook", "acquisition_mode": "open_source", "origin_region": "cn",
            "license": "CC-BY-4.0", "vertical": "handbook",
        } | proof("license_evidence", "open-handbook-licence.txt"),
        {
            "source_id": "licensed-encyclopedia", "acquisition_mode": "commercial", "origin_region": "cn",
            "license": "CDLA-Permissive-2.0", "contract_id": "C-2025-017",
            "contract_valid_from": "2025-01-01T00:00:00Z", "contract_valid_to": "2027-12-31T23:59:59Z",
            "commitment_source": "true", "commitment_quality": "true", "commitment_security": "true",
            "audit_status": "passed", "audit_date": "2026-01-15T00:00:00Z", "vertical": "encyclopedia",
        } | proof("contract_evidence", contract) | proof("commitment_evidence", contract) | proof("audit_report", contract),
        {
            "source_id": "town-pages", "acquisition_mode": "self_collected", "origin_region": "overseas",
            "license": "CC-BY-4.0", "vertical": "local",
        } | proof("crawl_record", "town-pages-crawl.csv") | snapshots,
        {
            "source_id": "message-board", "acquisition_mode": "self_collected", "origin_region": "overseas",
            "license": "CC-BY-4.0", "vertical": "social",
        } | proof("crawl_record", "message-board-crawl.csv") | snapshots,
        {
            "source_id": "forum-answers", "acquisition_mode": "user_input", "origin_region": "cn",
            "license": "CC-BY-4.0", "vertical": "questions and answers",
        } | proof("authorization_record", "forum-answers-authorisation.txt"),
        {
            "source_id": "model-drafts", "acquisition_mode": "synthetic", "origin_region": "cn",
            "license": "CC0-1.0", "gen_model": "draft-writer", "gen_model_version": "2026.1", "gen_at": "2026-01-20T00:00:00Z",
            "vertical": "everyday texts",
        },
    ]


def write_snapshots() -> None:
    with open(HERE / "opt_out.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["url", "fetched_at", "kind", "status", "sha256", "body"])

        def add(url: str, fetched_at: datetime.datetime, kind: str, body: str) -> None:
            digest = hashlib.sha256(body.encode()).hexdigest()
            table.writerow([url, f"{fetched_at:%Y-%m-%dT%H:%M:%SZ}", kind, 200, digest, body])

        for host, bodies in ROBOTS.items():
            for fetched_at, body in zip(snapshot_times(), bodies, strict=True):
                add(f"https://{host}/robots.txt", fetched_at, "robots.txt", body)
        add(RESERVED_PAGE, snapshot_times()[0], "headers", "tdm-reservation: 1\n")


def write_registries() -> None:
    folder = HERE / "evidence"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in EVIDENCE.items():
        (folder / name).write_bytes(text.encode())

    write_snapshots()
    with open(HERE / "blocked.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["entry", "kind", "listed_at", "removed_at", "reason_code"])
        table.writerow(["closed.example.net", "domain", "2026-01-01T00:00:00Z", "", "notice 2026-01"])
        table.writerow([BLOCKED_PAGE, "url", "2026-07-01T00:00:00Z", "", "notice 2026-07"])
    with open(HERE / "sources.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, SOURCE_COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        for row in source_rows():
            table.writerow({"is_link_list": "false"} | row)

    with open(HERE / "consent.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            [
                "subject_id", "purpose", "kind", "status", "granted_at", "expires_at", "withdrawn_at",
                "record_id", "evidence_uri", "subject_age_band",
            ]
        )
        for number, (subject, purpose, kind, status, *dates, band) in enumerate(CONSENTS, start=1):
            times = [date and f"{date}T00:00:00Z" for date in dates]
            evidence = f"{FOLDER}/evidence/forum-answers-authorisation.txt" if subject.startswith("user") else ""
            table.writerow([subject, purpose, kind, status, *times, f"rec-{number:04}", evidence, band])

    (HERE / "subject.key").write_bytes(b"quickstart demo key, never use it for real data\n")


# What README.md says. A change of the corpus has to change both.
EXPECTED = {
    "forum-answers": {"keep": 50, "review": 0, "drop": 10, "harmful": 0},
    "licensed-encyclopedia": {"keep": 70, "review": 0, "drop": 0, "harmful": 0},
    "message-board": {"keep": 0, "review": 0, "drop": 60, "harmful": 6},
    "model-drafts": {"keep": 50, "review": 0, "drop": 0, "harmful": 0},
    "open-handbook": {"keep": 89, "review": 6, "drop": 5, "harmful": 1},
    "town-pages": {"keep": 49, "review": 0, "drop": 11, "harmful": 3},
}


def main() -> None:
    made = write_corpus()
    write_registries()
    table = count(made)
    for source, counts in table.items():
        print(f"{source:24}", dict(sorted(counts.items())))
        assert {key: counts[key] for key in EXPECTED[source]} == EXPECTED[source], source
    size = sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    print(f"{len(made)} rows, {size} bytes in the folder")


if __name__ == "__main__":
    main()
