"""Which subjects have no consent in force: Tamis beside DuckDB and DataFusion.

    python benches/consent_join/join.py --binary BINARY [--records N] [--subjects N] [--rounds N]

BINARY is built by `cargo build --release --manifest-path benches/consent_join/Cargo.toml`;
the packages are those of benches/compare/requirements.txt. Every run is a process of its own,
the jobs take turns, and all answers must be equal.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
MEASURE = HERE.parent / "compare" / "measure.py"

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--records", type=int, default=10_000_000)
parser.add_argument("--subjects", type=int, default=5_000_000)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/consent-join"))
arguments = parser.parse_args()
work = arguments.work / f"{arguments.records}-{arguments.subjects}"
work.mkdir(parents=True, exist_ok=True)


def measured(command: list[str]) -> tuple[str, float, float, float]:
    """What it printed, CPU seconds, wall seconds, peak memory in MB."""
    result = work / "measured.txt"
    output = subprocess.run([sys.executable, str(MEASURE), str(result), *command], check=True, capture_output=True, text=True)
    exit_code, cpu, wall, kilobytes = result.read_text().split()
    if exit_code != "0":
        sys.exit(f"{command}: {output.stderr}")
    return output.stdout.strip(), float(cpu), float(wall), int(kilobytes) * 1024 / 1e6


if not (work / "subjects.parquet").exists():
    subprocess.run([sys.executable, str(HERE / "tables.py"), str(work), str(arguments.records), str(arguments.subjects)], check=True)
path, cpu, wall, memory = measured([arguments.binary, "snapshot", str(work / "consent.parquet"), str(work)])
print(f"snapshot from Parquet, once: {cpu:.2f} CPU-s, {wall:.2f} s, peak {memory:.0f} MB")

ask = [arguments.binary, "ask", str(work / "subjects.parquet"), path]
jobs = {
    "Tamis": ask,
    "Tamis, 8,192 at a time": [*ask, "8192"],
    "Tamis, sparse index": [*ask, "1048576", str(arguments.records)],
    "DuckDB": [sys.executable, str(HERE / "peer.py"), "duckdb", str(work)],
    "DataFusion": [sys.executable, str(HERE / "peer.py"), "datafusion", str(work)],
}
runs: dict[str, list] = {name: [] for name in jobs}
answers = set()
names = list(jobs)
for round_number in range(arguments.rounds):
    print(f"round {round_number + 1}, load {os.getloadavg()[0]:.1f}", flush=True)
    for name in names[round_number % len(names) :] + names[: round_number % len(names)]:
        answer, *figures = measured(jobs[name])
        answers.add(answer)
        runs[name].append(figures)
        print(f"  {name}: {answer}; {figures[0]:.2f} CPU-s, {figures[1]:.2f} s, {figures[2]:.0f} MB", flush=True)
if len(answers) != 1:
    sys.exit(f"the answers differ: {answers}")
print("| | CPU-s | wall s | peak MB |\n|---|---:|---:|---:|")
for name, figures in runs.items():
    cpu, wall, memory = (statistics.median(values) for values in zip(*figures))
    print(f"| {name} | {cpu:.2f} | {wall:.2f} | {memory:.0f} |")
