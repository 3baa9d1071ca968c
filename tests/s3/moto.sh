#!/usr/bin/env bash
# Two moto S3 servers on free loopback ports, one open and one that checks signatures.
#
#   tests/s3/moto.sh start DIR [PID]   makes the virtual environment when it is absent, starts
#                                      both, prints `export TAMIS_TEST_S3_…=…` lines to eval.
#                                      With PID the servers end when that process ends.
#   tests/s3/moto.sh stop DIR          stops them; harmless when nothing runs
#   tests/s3/moto.sh python            makes the virtual environment, prints its Python
#
# DIR holds their logs and process ids. Exit code 3: the environment could not be made
# (no Python with venv, or no package index): nothing was started.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
environment=$target/test-venv

say() { printf '%s\n' "$*" >&2; }

make_environment() {
    local stamp=$environment/requirements.txt
    if cmp -s "$here/requirements.txt" "$stamp"; then
        return 0
    fi
    if ! command -v python3 >/dev/null; then
        say "moto: python3 is not installed"
        return 3
    fi
    say "moto: making the virtual environment (once, about a minute)"
    mkdir -p "$target"
    rm -rf "$environment"
    if ! python3 -m venv "$environment" >"$target/test-venv.log" 2>&1; then
        say "moto: python3 has no working venv module (Debian: apt-get install python3-venv):"
        tail -n 5 "$target/test-venv.log" >&2
        return 3
    fi
    if ! "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        -r "$here/requirements.txt" >>"$target/test-venv.log" 2>&1; then
        say "moto: pip could not install $here/requirements.txt:"
        tail -n 5 "$target/test-venv.log" >&2
        return 3
    fi
    # Last, so that an interrupted installation is made again.
    cp "$here/requirements.txt" "$stamp"
}

launch() { # launch NAME DIR PID [VARIABLE=VALUE …]
    local name=$1 directory=$2 parent=$3
    shift 3
    local -a options=(--ready "$directory/$name.url")
    [ -z "$parent" ] || options+=(--while-alive "$parent")
    # Its own session: a Ctrl-C meant for the tests lets `stop` end it in order.
    setsid env "$@" "$environment/bin/python" "$here/moto_serve.py" "${options[@]}" \
        >"$directory/$name.log" 2>&1 </dev/null &
    echo $! >"$directory/$name.pid"
}

wait_for() { # wait_for NAME DIR
    local name=$1 directory=$2
    for _ in $(seq 300); do
        [ ! -s "$directory/$name.url" ] || return 0
        if ! kill -0 "$(cat "$directory/$name.pid")" 2>/dev/null; then
            break
        fi
        sleep 0.2
    done
    say "moto: the $name server did not start:"
    tail -n 20 "$directory/$name.log" >&2
    return 1
}

start() {
    local directory=$1 parent=${2:-}
    make_environment
    stop "$directory"
    mkdir -p "$directory"
    launch open "$directory" "$parent"
    launch auth "$directory" "$parent" INITIAL_NO_AUTH_ACTION_COUNT=3
    if ! wait_for open "$directory" || ! wait_for auth "$directory" ||
        ! env -u AWS_PROFILE -u AWS_ENDPOINT_URL -u AWS_ENDPOINT_URL_S3 -u AWS_ENDPOINT_URL_IAM \
            "$environment/bin/python" "$here/prepare.py" moto \
            "$(cat "$directory/open.url")" "$(cat "$directory/auth.url")"; then
        stop "$directory"
        return 1
    fi
}

stop() {
    local directory=$1 file pid
    for file in "$directory"/open.pid "$directory"/auth.pid; do
        [ -f "$file" ] || continue
        pid=$(cat "$file")
        # The number may have gone to another process since: only a server of ours is ended.
        if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q moto_serve.py; then
            kill "$pid" 2>/dev/null || true
            for _ in $(seq 50); do
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.1
            done
            kill -KILL "$pid" 2>/dev/null || true
        fi
        rm -f "$file"
    done
    rm -f "$directory/open.url" "$directory/auth.url"
}

case ${1:-} in
    start) start "${2:?directory}" "${3:-}" ;;
    stop) stop "${2:?directory}" ;;
    python) make_environment && echo "$environment/bin/python" ;;
    *)
        say "usage: $0 start DIR [PID] | stop DIR | python"
        exit 2
        ;;
esac
