#!/usr/bin/env bash
# The whole test suite, S3 tests included: `tests/run.sh`, from any directory.
#
# Starts two moto S3 servers on loopback (one open, one that checks signatures; they live
# in a virtual environment under target/), runs `cargo test --locked --workspace` with
# their addresses in the environment, and stops them whatever happens; likewise a
# PostgreSQL server, where Debian's is installed. Arguments go to
# cargo: `tests/run.sh -p tamis-harm`, `tests/run.sh --test main -- s3`.
#
# Exit status: cargo's. A test that cannot run says SKIPPED and appends a line to
# $TAMIS_TEST_SKIPPED_FILE; the last line printed here is their number. With
# TAMIS_TEST_REQUIRE_S3=1 servers that do not start are a failure, not a skip.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target"
servers=$(mktemp -d "$target/moto.XXXXXX")
# PostgreSQL runs as a user of its own, which the target may be closed to.
postgres=$(mktemp -d)
chmod 755 "$postgres"

finish() {
    tests/s3/moto.sh stop "$servers" || true
    tests/postgres/server.sh stop "$postgres" || true
    rm -rf "$servers" "$postgres"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The tests bring their own credentials and addresses: a developer's must not leak in,
# nor may a proxy stand between the tests and loopback.
for name in $(compgen -e); do
    case $name in
        AWS_* | TAMIS_*)
            case $name in
                TAMIS_TEST_REQUIRE_S3 | TAMIS_TEST_SKIPPED_FILE) ;;
                *) unset "$name" ;;
            esac
            ;;
    esac
done
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy=$NO_PROXY

skipped=${TAMIS_TEST_SKIPPED_FILE:-$servers/skipped.txt}
export TAMIS_TEST_SKIPPED_FILE=$skipped
: >>"$skipped"
before=$(wc -l <"$skipped")

status=0
exports=$(tests/s3/moto.sh start "$servers" "$$") || status=$?
if [ "$status" -eq 0 ]; then
    eval "$exports"
    echo "S3 tests: moto at $TAMIS_TEST_S3_ENDPOINT, with authentication at $TAMIS_TEST_S3_AUTH_ENDPOINT"
elif [ "${TAMIS_TEST_REQUIRE_S3:-0}" = 1 ]; then
    echo "the S3 test servers did not start, and TAMIS_TEST_REQUIRE_S3 is set" >&2
    exit 1
else
    echo "SKIPPED: the S3 test servers did not start; every test that needs one will say so" >&2
fi

status=0
exports=$(tests/postgres/server.sh start "$postgres" "$$") || status=$?
if [ "$status" -eq 0 ]; then
    eval "$exports"
else
    echo "SKIPPED: the PostgreSQL test server did not start; every test that needs it will say so" >&2
fi

# In the foreground: in the background the tests would inherit an ignored SIGINT. Should
# this script be killed meanwhile, the servers notice within a second and end themselves.
status=0
cargo test --locked --workspace --no-fail-fast "$@" || status=$?

count=$(($(wc -l <"$skipped") - before))
if [ "$count" -gt 0 ]; then
    echo
    tail -n "$count" "$skipped" | sed 's/^/SKIPPED: /'
fi
echo "tests skipped: $count"
exit "$status"
