#!/usr/bin/env bash
# Runs the tests of the AVX-512 kernels on a processor that has none, in the emulator Bochs:
# `udfs/harm/tests/emulated/run.sh [TEST FILTERS]`. Without filters those of the matcher, but for
# the longest, and of the classes of bytes.
#
# Builds the library's tests into one static program, boots a Linux kernel with little else on an
# emulated Tiger Lake, prints what the tests say, and exits with their verdict: 0 passed, 1 failed,
# 2 could not run, or ran without the avx512 kernel. The emulator works off some 50 million
# instructions a second, so the property tests take fewer cases than elsewhere: as many as
# PROPTEST_CASES says (50). Nothing is downloaded, no privileges are needed.
#
# Needs the Debian packages bochs-bin, bochs-term, bochsbios, vgabios, isolinux, syslinux-common,
# xorriso, cpio, busybox-static, binutils and bsdutils, and the kernel of a linux-image package:
# the newest in /boot, or the file LINUX_KERNEL names (`apt-get download` and `dpkg -x` suffice;
# 6.1 is known to work). It gives up after EMULATION_SECONDS (3600).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
    echo "run.sh: $*" >&2
    exit 2
}

# A command or a file, and the package that has it.
need() {
    [ -e "$1" ] || command -v "$1" >/dev/null || fail "$1 is missing: install the package $2"
}

bios=/usr/share/bochs/BIOS-bochs-latest
vga=/usr/share/vgabios/vgabios.bin
isolinux=/usr/lib/ISOLINUX/isolinux.bin
loader=/usr/lib/syslinux/modules/bios/ldlinux.c32
need bochs-bin bochs-bin
need /usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so bochs-term
need $bios bochsbios
need $vga vgabios
need $isolinux isolinux
need $loader syslinux-common
need xorriso xorriso
need cpio cpio
need busybox busybox-static
need strip binutils
need script bsdutils
linux=${LINUX_KERNEL:-$(find /boot -name 'vmlinuz-*' | sort --version-sort | tail -n 1)}
[ -f "$linux" ] || fail "no kernel: install linux-image-cloud-amd64, or set LINUX_KERNEL"
# One test builds thousands of matchers, which takes the emulator most of an hour; what it asks of
# a kernel, those of matcher::kernel ask too.
[ $# -gt 0 ] || set -- matcher:: byte_classes:: --skip a_pattern_is_found_at_every_place

# Flags differ from those of other builds: a target directory of its own keeps both.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../../../../target}/emulated
# The triple is given so that the flags are for the tests alone, not for procedural macros.
tests=$(RUSTFLAGS="-C target-feature=+crt-static" cargo test --offline --package tamis-harm --lib \
    --no-run --target x86_64-unknown-linux-gnu --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
[ -x "$tests" ] || fail "the tests were not built"

place=$(mktemp -d)
finish() {
    # Neither Bochs in its debugger nor a halted machine ends by itself.
    [ ! -s "$place/bochs.pid" ] || kill -KILL "$(cat "$place/bochs.pid")" 2>/dev/null || true
    [ -z "${follower:-}" ] || kill "$follower" 2>/dev/null || true
    rm -rf "$place"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir -p "$place"/root/{bin,proc,dev,tmp,udfs/harm} "$place/disc/isolinux"
cp "$(command -v busybox)" "$place/root/bin/busybox"
strip -o "$place/root/tests" "$tests"
# Where proptest looks for the file of a test.
cp -r ../../src "$place/root/udfs/harm/"
cat >"$place/root/init" <<EOF
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
export PROPTEST_CASES=${PROPTEST_CASES:-50}
/bin/busybox grep -qw avx512_vbmi2 /proc/cpuinfo || echo 'no AVX-512 here'
/tests --test-threads 1 --nocapture kernels_run_where_the_processor_has_them $(printf '%q ' "$@")
echo "verdict: \$?"
# Not the end: what was written is still on its way.
exec /bin/busybox sleep 1000000
EOF
chmod +x "$place/root/init"
(cd "$place/root" && find . | cpio --create --format newc --quiet) >"$place/disc/initramfs"
cp "$linux" "$place/disc/linux"
cp $isolinux $loader "$place/disc/isolinux/"

# Without ACPI, whose start takes many timed waits, and with the emulated clock for truth.
# Bits of CPUID are cleared that the emulator has wrong: PKU (515) without a size, XSAVEC and
# XSAVES (321, 323) with the size of the other format, FSRM (580) while it has ERMS off, which
# breaks the memmove of Linux.
cat >"$place/disc/isolinux/isolinux.cfg" <<'EOF'
default linux
prompt 0
label linux
kernel /linux
append initrd=/initramfs console=ttyS0 quiet panic=-1 nokaslr mitigations=off acpi=off nolapic tsc_early_khz=100000 clearcpuid=515,321,323,580
EOF
xorriso -as mkisofs -quiet -o "$place/disc.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$place/disc" 2>"$place/xorriso.log" ||
    fail "$(cat "$place/xorriso.log")"
cat >"$place/bochsrc" <<EOF
display_library: term
config_interface: textconfig
cpu: model=tigerlake, count=1, ips=100000000
clock: sync=none
megs: 1024
romimage: file=$bios
vgaromimage: file=$vga
ata0-master: type=cdrom, path=$place/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$place/serial
log: $place/bochs.log
panic: action=fatal
EOF
# Debian's Bochs starts in its debugger.
echo continue >"$place/debugger"
touch "$place/serial"
TERM=xterm script -qec "echo \$\$ >'$place/bochs.pid'; exec bochs-bin -q -f '$place/bochsrc' \
-rc '$place/debugger'" /dev/null </dev/null >"$place/screen" 2>&1 &
machine=$!
tail -n +1 -f "$place/serial" &
follower=$!

deadline=$((SECONDS + ${EMULATION_SECONDS:-3600}))
until grep -aq '^verdict: ' "$place/serial"; do
    if grep -aq 'Kernel panic' "$place/serial" || ! kill -0 "$machine" 2>/dev/null; then
        tail -n 20 "$place/bochs.log" >&2 || true
        fail "the machine stopped without a verdict"
    fi
    [ $SECONDS -lt $deadline ] || fail "no verdict in time"
    sleep 1
done
sleep 1
grep -aq 'kernels: .*avx512' "$place/serial" || fail "the tests ran without the avx512 kernel"
verdict=$(sed -n 's/^verdict: \([0-9]*\).*/\1/p' "$place/serial")
[ "$verdict" = 0 ] || exit 1
