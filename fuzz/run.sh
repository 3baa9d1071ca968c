#!/usr/bin/env bash
# Builds one fuzz target with coverage and runs it: `fuzz/run.sh TARGET SECONDS [libFuzzer flags]`.
#
# Works on the stable compiler (no sanitizer: the crates have no unsafe code but where a
# property test covers it). The corpus and crashing inputs stay under the target directory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[ $# -ge 2 ] || { echo "usage: fuzz/run.sh TARGET SECONDS [libFuzzer flags]" >&2; exit 2; }
target=$1 seconds=$2
shift 2
export CARGO_TARGET_DIR=${FUZZ_TARGET_DIR:-${CARGO_TARGET_DIR:-$PWD/../target}/fuzz}
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
triple=$(rustc -vV | sed -n 's/^host: //p')
cargo build --quiet --locked --release --target "$triple" --bin "$target"
corpus=$CARGO_TARGET_DIR/corpus/$target
crashes=$CARGO_TARGET_DIR/crashes/$target/
mkdir -p "$corpus" "$crashes"
exec "$CARGO_TARGET_DIR/$triple/release/$target" "$corpus" \
    -artifact_prefix="$crashes" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 "$@"
