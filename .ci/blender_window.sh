#!/usr/bin/env bash
# A key in a real window of Debian's Blender, under Xvfb: rendered to its end, and stopped by ESC half-way.
# blender_window.sh DEBIAN OUT: DEBIAN is made when it is not there (debootstrap, 1.2 GB, as root); OUT gets pictures and facts.
set -euo pipefail
root=$1
mkdir -p "$2"
out=$(realpath "$2")
repository=$(realpath "$(dirname "$0")/..")
environment=$repository/.venv
python=$("$environment/bin/python" -c 'import sys; print(sys.base_prefix)')
mounted=()

attach() {
    for folder in "$@"; do
        mkdir -p "$root$folder"
        mount --bind "$folder" "$root$folder"
        mounted=("$root$folder" "${mounted[@]}")
    done
}
detach() { for folder in "${mounted[@]}"; do umount "$folder"; done; mounted=(); }
trap detach EXIT

if [ ! -x "$root/usr/bin/blender" ]; then
    debootstrap --variant=minbase sid "$root"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    attach /proc /dev /sys
    chroot "$root" apt-get -o Acquire::Check-Valid-Until=false update -q
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y --no-install-recommends blender xvfb xauth xdotool \
        imagemagick libgl1-mesa-dri libglx-mesa0 libegl1 x11-utils python3-numpy python3-requests python3-cattr
    detach
fi

attach /proc /dev /sys "$repository" "$out"
# The base of the environment's Python, where it is not the system's.
[ "$python" = /usr ] || attach "$python"
for mode in end escape; do
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp \
        LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe VFXGEN_ENVIRONMENT="$environment" \
        timeout -s KILL 300 xvfb-run -a -s "-screen 0 1600x900x24 +extension GLX" \
        blender --factory-startup --window-geometry 0 0 1600 900 \
        --python "$repository/tests/plugins/blender/scenarios/window.py" -- \
        "$out" "$repository/dist/vfxgen-blender.zip" "$repository/shots/greenscreen/plate/greenscreen.1001.exr" "$mode" \
        >"$out/$mode.log" 2>&1
    cat "$out/$mode.json"
done
grep -q '"status": "up to date"' "$out/end.json"
grep -q '"status": "frames .* missing"' "$out/escape.json"
