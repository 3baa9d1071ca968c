"""Runs Tamis and its peers on one generated corpus and prints CPU and memory as ratios.

    python benches/compare/compare.py [--gib 1] [--registry-rows 10000000] [--rounds 3]
        [--tamis target/release/tamis] [--only NAME …] [--work target/compare]

The jobs take turns, once each a round, each round starting one further: a busy minute of
the machine then falls on all of them. Reported are medians over the rounds of the whole
process (interpreter included): CPU seconds (user + system) and peak resident memory from
wait4 (measure.py), and wall seconds, which mean little on a machine that does other things.

Every run's result is compared with the generator's truth: documents read, harmful documents,
documents kept and the sum of their numbers. A run that finds anything else makes the exit
status 1. A program that is not there is skipped, said and counted.
"""

import argparse
import dataclasses
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys

import pyarrow.dataset

import corpus

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCAN, REWRITE, TAMIS = "DataFusion scan", "DataFusion rewrite", "Tamis"

JOB_FILE = """\
[corpus]
uri = {corpus}
columns = {{ id = "id", text = "body", source = "source", license = "license", subject = "author", url = "url", collected_at = "fetched_at" }}

[policy]
pack = "gb45654"
purpose = "{purpose}"
use = "train-commercial"
as_of = "{as_of}"

[resources]
lexicon = {lexicon}
sources = {sources}
consent = {consent}
subject_key = {subject_key}

[output]
uri = {output}
dropped = "ids"
"""


@dataclasses.dataclass
class Job:
    """One program. `keeps`: its output holds the kept documents; `copies`: all of them."""

    name: str
    modules: tuple[str, ...] = ()
    script: str | None = None
    keeps: bool = False
    copies: bool = False


JOBS = [
    Job(TAMIS, keeps=True),
    Job(SCAN, ("datafusion",), "datafusion_scan.py"),
    Job(REWRITE, ("datafusion",), "datafusion_rewrite.py", copies=True),
    Job("DataFusion regexp_like", ("datafusion",), "datafusion_regexp.py", keeps=True),
    Job("Polars contains_any", ("polars",), "polars_job.py", keeps=True),
    Job("DuckDB + ahocorasick_rs", ("duckdb", "ahocorasick_rs"), "duckdb_job.py", keeps=True),
]


@dataclasses.dataclass
class Run:
    cpu: float
    wall: float
    peak_mib: float
    start_cpu: float | None
    problem: str | None


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def missing(job: Job, tamis: pathlib.Path) -> str | None:
    """Why this job cannot run, or nothing."""
    if job.script is None:
        return None if os.access(tamis, os.X_OK) else f"no program at {tamis}"
    for module in job.modules:
        try:
            importlib.metadata.version(module)
        except importlib.metadata.PackageNotFoundError:
            return f"Python package {module} is not installed"
    return None


def toml_string(path: pathlib.Path) -> str:
    return json.dumps(str(path))  # a JSON string is a TOML basic string


def tamis_command(tamis: pathlib.Path, data: pathlib.Path, output: pathlib.Path) -> list[str]:
    job_file = output.parent / "job.toml"
    job_file.write_text(
        JOB_FILE.format(
            corpus=toml_string(data / "corpus"),
            purpose=corpus.PURPOSE,
            as_of=corpus.AS_OF.strftime("%Y-%m-%dT%H:%M:%SZ"),
            lexicon=toml_string(data / "lexicon.csv"),
            sources=toml_string(data / "sources.parquet"),
            consent=toml_string(data / "consent.parquet"),
            subject_key=toml_string(data / "subject.key"),
            output=toml_string(output),
        ),
        encoding="utf-8",
    )
    return [str(tamis), "run", str(job_file)]


def measure(command: list[str], log: pathlib.Path, timeout: float) -> tuple[int, float, float, float] | None:
    """Exit status, CPU seconds, wall seconds and peak MiB; nothing when the time ran out."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TAMIS_", "AWS_"))}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    figures = log.with_suffix(".figures")
    figures.unlink(missing_ok=True)
    with open(log, "wb") as stdout, open(log.with_suffix(".err"), "wb") as stderr:
        helper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(HERE / "measure.py"), str(figures), *command],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment, start_new_session=True,
        )
        try:
            helper.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # The command too, whatever ended this wait; it is in the helper's group.
            if helper.returncode is None:
                os.killpg(helper.pid, signal.SIGKILL)
                helper.wait()
    code, cpu, wall, peak_kib = figures.read_text(encoding="ascii").split()
    return int(code), float(cpu), float(wall), float(peak_kib) / 1024


def printed(log: pathlib.Path) -> dict:
    """The line of JSON a peer ends with."""
    for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return {}


def written(folder: pathlib.Path) -> tuple[int, int]:
    """Documents in a result, and the sum of their numbers."""
    rows, total = 0, 0
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        return 0, 0
    dataset = pyarrow.dataset.dataset(files)
    for batch in dataset.to_batches(columns=["id"]):
        rows += batch.num_rows
        total += sum(int(identifier[1:]) for identifier in batch.column("id").to_pylist())
    return rows, total


def check(job: Job, output: pathlib.Path, found: dict, truth: dict) -> list[str]:
    """What differs from the truth."""
    problems = [
        f"{name} is {found[name]}, should be {truth[name]}"
        for name in ("rows", "text_bytes", "harmful")
        if name in found and found[name] != truth[name]
    ]
    if job.keeps:
        folder = output / "data" if job.name == TAMIS else output
        rows, total = written(folder)
        if (rows, total) != (truth["kept"], truth["kept_id_sum"]):
            problems.append(f"kept {rows} (sum {total}), should be {truth['kept']} (sum {truth['kept_id_sum']})")
    elif job.copies and (rows := written(output)[0]) != truth["rows"]:
        problems.append(f"wrote {rows} rows, should be {truth['rows']}")
    return problems


def run(job: Job, arguments, data: pathlib.Path, truth: dict) -> Run:
    folder = arguments.work / "run"
    shutil.rmtree(folder, ignore_errors=True)
    output = folder / "output"
    folder.mkdir(parents=True)
    if job.script is None:
        command = tamis_command(arguments.tamis, data, output)
    else:
        output.mkdir()
        command = [sys.executable, str(HERE / "peers" / job.script), str(data), str(output)]
    log = arguments.work / "logs" / f"{job.name.replace(' ', '-')}.out"
    log.parent.mkdir(parents=True, exist_ok=True)
    measured = measure(command, log, arguments.timeout)
    code, cpu, wall, peak = measured or (None, 0.0, arguments.timeout, 0.0)
    found = printed(log) if job.script else {}
    if measured is None:
        problems = [f"ended after {arguments.timeout:.0f} s"]
    # The corpus has unknown licences: Tamis quarantines those rows and ends with 3.
    elif code not in ((0, 3) if job.script is None else (0,)):
        problems = [f"exit status {code}, see {log.with_suffix('.err')}"]
    else:
        problems = check(job, output, found, truth)
    shutil.rmtree(folder, ignore_errors=True)
    return Run(cpu, wall, peak, found.get("start_cpu"), "; ".join(problems) or None)


def middle(runs: list[Run], field: str) -> float | None:
    values = [getattr(one, field) for one in runs if getattr(one, field) is not None]
    return statistics.median(values) if values else None


def ratio(value: float, base: float | None) -> str:
    return f"{value / base:.2f}" if base else "–"


def table(results: dict[str, list[Run]], truth: dict) -> str:
    good = {name: [one for one in runs if one.problem is None] for name, runs in results.items()}

    def base(name: str, field: str) -> float | None:
        return middle(good[name], field) if good.get(name) else None

    lines = [
        "| job | CPU s (least – most) | of it start | MiB of text a CPU s | wall s | peak MiB | CPU ÷ scan | CPU ÷ rewrite | CPU ÷ Tamis | peak ÷ Tamis |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, runs in good.items():
        if not runs:
            lines.append(f"| {name} | failed: {results[name][-1].problem} |" + " |" * 8)
            continue
        cpu, peak, start = middle(runs, "cpu"), middle(runs, "peak_mib"), middle(runs, "start_cpu")
        least, most = min(one.cpu for one in runs), max(one.cpu for one in runs)
        lines.append(
            f"| {name} | {cpu:.1f} ({least:.1f} – {most:.1f}) | {'–' if start is None else f'{start:.1f}'} "
            f"| {truth['text_bytes'] / (1 << 20) / cpu:.0f} | {middle(runs, 'wall'):.1f} | {peak:.0f} "
            f"| {ratio(cpu, base(SCAN, 'cpu'))} | {ratio(cpu, base(REWRITE, 'cpu'))} "
            f"| {ratio(cpu, base(TAMIS, 'cpu'))} | {ratio(peak, base(TAMIS, 'peak_mib'))} |"
        )
    return "\n".join(lines)


def heading(truth: dict, arguments, loads: list[float]) -> str:
    sizes = truth["specification"]
    packages = ("datafusion", "duckdb", "ahocorasick_rs", "polars", "pyarrow", "numpy")
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    if os.access(arguments.tamis, os.X_OK):
        asked = subprocess.run([str(arguments.tamis), "--version"], capture_output=True, text=True, check=False)
        versions.insert(0, asked.stdout.strip() or "tamis of unknown version")
    return (
        f"{truth['rows']:,} documents, {truth['text_bytes'] / (1 << 30):.2f} GiB of text, {truth['harmful']:,} harmful, "
        f"{len(truth['refused_sources'])} of {corpus.SOURCES} sources refused, {truth['kept']:,} documents to keep; "
        f"{2 * corpus.TERMS_PER_LANGUAGE:,} terms; {sizes['registry_rows']:,} consent records; seed {sizes['seed']}.\n"
        f"{arguments.rounds} rounds, {os.cpu_count()} cores, {platform.machine()}, load before a run "
        f"{min(loads):.1f} to {max(loads):.1f}; {', '.join(versions)}, Python {platform.python_version()}.\n"
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus.add_arguments(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tamis", type=pathlib.Path, default=ROOT / "target" / "release" / "tamis")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[job.name for job in JOBS], help="jobs to run: " + ", ".join(job.name for job in JOBS))
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "compare", help="corpus, logs and results")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds a run may take")
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    arguments.tamis = arguments.tamis.resolve()
    return arguments


def main() -> int:
    arguments = parse()
    data = arguments.work / "data"
    say("corpus: writing it, or finding it written")
    truth = corpus.generate(data, arguments)

    jobs, skipped = [], 0
    for job in JOBS:
        if arguments.only and job.name not in arguments.only:
            continue
        if reason := missing(job, arguments.tamis):
            say(f"SKIPPED: {job.name}: {reason}")
            skipped += 1
        else:
            jobs.append(job)
    if not jobs:
        say("nothing to run")
        return 1

    # Not measured: brings the files into the page cache, the same for everybody after it.
    for path in sorted(data.rglob("*.parquet")):
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass

    results: dict[str, list[Run]] = {job.name: [] for job in jobs}
    loads = []
    for number in range(arguments.rounds):
        shift = number % len(jobs)
        for job in jobs[shift:] + jobs[:shift]:
            loads.append(os.getloadavg()[0])
            one = run(job, arguments, data, truth)
            results[job.name].append(one)
            say(f"round {number + 1}: {job.name}: {one.cpu:.1f} CPU s, {one.wall:.1f} s, {one.peak_mib:.0f} MiB" + (f": WRONG: {one.problem}" if one.problem else ""))

    report = heading(truth, arguments, loads) + "\n" + table(results, truth) + "\n"
    (arguments.work / "results.md").write_text(report, encoding="utf-8")
    (arguments.work / "results.json").write_text(
        json.dumps({"truth": truth, "runs": {name: [dataclasses.asdict(one) for one in runs] for name, runs in results.items()}}, indent=2) + "\n"
    )
    print(report)
    wrong = sum(one.problem is not None for runs in results.values() for one in runs)
    print(f"{wrong} wrong runs, {skipped} programs skipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
