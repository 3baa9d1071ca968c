#!/usr/bin/env bash
# A PostgreSQL server of its own on a free loopback port, as Debian packages it.
#
#   tests/postgres/server.sh start DIR [PID]   makes a cluster in DIR, starts it, prints an
#                                              `export TAMIS_TEST_POSTGRES=…` line to eval. With
#                                              PID it ends when that process ends.
#   tests/postgres/server.sh stop DIR          stops it; harmless when nothing runs
#
# Exit code 3: there is no PostgreSQL here (Debian: apt-get install postgresql); nothing was
# started.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s\n' "$*" >&2; }

# The newest of the versions that are installed.
programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1 || true)

# The server refuses to run as root.
as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop() {
    local directory=$1
    [ -s "$directory/data/postmaster.pid" ] || return 0
    as_owner "$programs/pg_ctl" -D "$directory/data" -m immediate -w stop >/dev/null 2>&1 || true
}

start() {
    local directory=$1 parent=${2:-} port
    if [ -z "$programs" ]; then
        say "postgres: not installed (Debian: apt-get install postgresql)"
        return 3
    fi
    mkdir -p "$directory"
    # Others must be able to reach the directory below a target that is root's alone.
    directory=$(cd "$directory" && pwd)
    [ "$(id -u)" -ne 0 ] || chown postgres "$directory"
    (
        umask 077
        printf 'made-for-tests' >"$directory/password"
    )
    [ "$(id -u)" -ne 0 ] || chown postgres "$directory/password"
    if ! as_owner "$programs/initdb" -D "$directory/data" -U tamis --auth=scram-sha-256 \
        --pwfile="$directory/password" --encoding=UTF8 --locale=C >"$directory/initdb.log" 2>&1; then
        say "postgres: initdb failed:"
        tail -n 5 "$directory/initdb.log" >&2
        return 1
    fi
    port=$(free_port)
    if ! as_owner "$programs/pg_ctl" -D "$directory/data" -l "$directory/data/server.log" -w -t 60 \
        -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c fsync=off" \
        start >/dev/null 2>&1; then
        say "postgres: the server did not start:"
        as_owner tail -n 5 "$directory/data/server.log" >&2 || true
        return 1
    fi
    if [ -n "$parent" ]; then
        setsid bash -c '
            while kill -0 "$1" 2>/dev/null; do sleep 1; done
            "$2" stop "$3"' watch "$parent" "$here/server.sh" "$directory" >/dev/null 2>&1 </dev/null &
    fi
    echo "export TAMIS_TEST_POSTGRES=postgresql://tamis:made-for-tests@127.0.0.1:$port/postgres"
}

case ${1:-} in
    start) start "$2" "${3:-}" ;;
    stop) stop "$2" ;;
    *)
        say "usage: $0 start DIR [PID] | stop DIR"
        exit 2
        ;;
esac
