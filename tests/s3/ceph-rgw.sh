#!/usr/bin/env bash
# A real S3 server for the tests: one Ceph monitor, one OSD that keeps its data in memory
# and one RADOS Gateway, on free loopback ports, without systemd. Debian 12 has Ceph 16.
#
#   tests/s3/ceph-rgw.sh install           apt-get installs what is missing (as root)
#   tests/s3/ceph-rgw.sh start DIR [PID]   starts it, prints `export TAMIS_TEST_S3_…=…` lines;
#                                          with PID it ends when that process ends
#   tests/s3/ceph-rgw.sh stop DIR          ends it and removes DIR's data; keeps DIR/log
#
# Exit code 3 of `install`: the packages cannot be had here, the caller skips and says so.
#
# Known faults of this version: a PUT with If-Match answers 412 even for the right ETag,
# UploadPartCopy answers 411. Signatures and If-None-Match are right.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=(radosgw ceph-mon ceph-osd)
programs=(radosgw radosgw-admin ceph ceph-mon ceph-osd ceph-authtool monmaptool)
access_key=TAMISTESTKEY00000000
secret_key=tamis-test-secret-0000000000000000000000

say() { printf '%s\n' "$*" >&2; }

missing_programs() {
    local program
    for program in "${programs[@]}"; do
        command -v "$program" >/dev/null || echo "$program"
    done
}

install_packages() {
    [ -n "$(missing_programs)" ] || return 0
    if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
        say "ceph: $(missing_programs | tr '\n' ' ')missing, and only root can apt-get install ${packages[*]}"
        return 3
    fi
    say "ceph: installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } \
        </dev/null >&2; then
        say "ceph: apt-get could not install ${packages[*]}"
        return 3
    fi
    if [ -n "$(missing_programs)" ]; then
        say "ceph: still missing after the installation: $(missing_programs | tr '\n' ' ')"
        return 3
    fi
}

free_ports() { # free_ports COUNT
    python3 -c '
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets))' "$1"
}

write_configuration() { # write_configuration DIR FSID MON2 MON1 RGW
    cat >"$1/ceph.conf" <<CONF
[global]
fsid = $2
mon_host = [v2:127.0.0.1:$3,v1:127.0.0.1:$4]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = $1/keyring
run_dir = $1/run
admin_socket = $1/run/\$name.\$pid.asok
log_file = $1/log/\$name.log
mon_data = $1/mon
osd_data = $1/osd
# Everything in memory, one copy of it, few placement groups: it lives for minutes.
osd_objectstore = memstore
memstore_device_bytes = 6442450944
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_allow_pool_size_one = true
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
# The gateway's own object classes have to be allowed by name or all of them.
osd_class_load_list = *
osd_class_default_list = *
# The monitor refuses to start on a disk that is nearly full.
mon_data_avail_crit = 1

[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:$5
CONF
}

make_keys() { # make_keys DIR
    local keyring=$1/keyring
    ceph-authtool "$keyring" --create-keyring --gen-key -n mon. --cap mon 'allow *'
    ceph-authtool "$keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
    ceph-authtool "$keyring" --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx' --cap mgr 'allow rw'
    ceph-authtool "$keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
}

launch() { # launch DIR NAME PROGRAM ARGUMENTS…
    local directory=$1 name=$2
    shift 2
    setsid "$@" >"$directory/log/$name.out" 2>&1 </dev/null &
    echo $! >"$directory/run/$name.pid"
}

wait_until() { # wait_until SECONDS WHAT COMMAND…
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            say "ceph: $what did not answer in time"
            return 1
        fi
        sleep 0.5
    done
}

answers() { # answers PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && head -c 12 <&3 | grep -q HTTP)
}

bring_up() { # bring_up DIR PYTHON
    local directory=$1 python=$2 mon2 mon1 rgw fsid osd_id
    local -a ceph=(--conf "$directory/ceph.conf")
    mkdir -p "$directory"/{mon,osd,run,log}
    read -r mon2 mon1 rgw < <(free_ports 3)
    fsid=$(cat /proc/sys/kernel/random/uuid)
    osd_id=$(cat /proc/sys/kernel/random/uuid)
    write_configuration "$directory" "$fsid" "$mon2" "$mon1" "$rgw"
    make_keys "$directory"

    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon2,v1:127.0.0.1:$mon1]" "$directory/monmap"
    ceph-mon "${ceph[@]}" -i a --mkfs --monmap "$directory/monmap" --keyring "$directory/keyring"
    launch "$directory" mon ceph-mon "${ceph[@]}" -i a -f
    wait_until 60 "the monitor" timeout 10 ceph "${ceph[@]}" status

    timeout 60 ceph "${ceph[@]}" osd new "$osd_id"
    ceph-osd "${ceph[@]}" -i 0 --mkfs --osd-uuid "$osd_id"
    launch "$directory" osd ceph-osd "${ceph[@]}" -i 0 -f
    wait_until 60 "the OSD" osd_is_up "$directory"

    timeout 120 radosgw-admin "${ceph[@]}" user create --uid tamis-test --display-name tamis-test \
        --access-key "$access_key" --secret "$secret_key"
    launch "$directory" rgw radosgw "${ceph[@]}" -n client.rgw -f
    wait_until 90 "the gateway" answers "$rgw"
    "$python" "$here/prepare.py" ceph "http://127.0.0.1:$rgw" "$access_key" "$secret_key" >"$directory/exports"
}

osd_is_up() { # osd_is_up DIR
    timeout 10 ceph --conf "$1/ceph.conf" osd stat | grep -q '1 up'
}

start() { # start DIR [PID]
    local directory parent=${2:-} python
    directory=$(realpath -m "$1")
    if [ -n "$(missing_programs)" ]; then
        say "ceph: missing: $(missing_programs | tr '\n' ' '); first: $0 install"
        return 3
    fi
    python=$("$here/moto.sh" python)
    stop "$directory"
    mkdir -p "$directory/log"
    # Their chatter goes to a file. A subshell, so that `set -e` ends it at the first fault.
    local status=0
    set +e
    (
        set -e
        bring_up "$directory" "$python"
    ) >"$directory/log/start.out" 2>&1
    status=$?
    set -e
    if [ "$status" -ne 0 ]; then
        say "ceph: did not start, the end of $directory/log/start.out:"
        tail -n 20 "$directory/log/start.out" >&2
        stop "$directory"
        return 1
    fi
    if [ -n "$parent" ]; then
        launch "$directory" watch "${BASH_SOURCE[0]}" watch "$directory" "$parent"
    fi
    cat "$directory/exports"
}

watch_parent() { # watch_parent DIR PID
    while kill -0 "$2" 2>/dev/null; do
        sleep 1
    done
    stop "$1"
}

stop() { # stop DIR
    local directory=$1 name pid
    # The gateway first: without its OSD it would hang.
    for name in watch rgw osd mon; do
        [ -f "$directory/run/$name.pid" ] || continue
        pid=$(cat "$directory/run/$name.pid")
        [ "$pid" != "$$" ] || continue
        # The number may have gone to another process since: only ours name this directory.
        if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$directory"; then
            kill "$pid" 2>/dev/null || true
            for _ in $(seq 30); do
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.1
            done
            kill -KILL "$pid" 2>/dev/null || true
        fi
    done
    rm -rf "$directory"/{mon,osd,run,keyring,monmap,exports,ceph.conf}
}

case ${1:-} in
    install) install_packages ;;
    start) start "${2:?directory}" "${3:-}" ;;
    stop) stop "$(realpath -m "${2:?directory}")" ;;
    watch) watch_parent "${2:?directory}" "${3:?process id}" ;;
    *)
        say "usage: $0 install | start DIR [PID] | stop DIR"
        exit 2
        ;;
esac
