#!/usr/bin/env bash
# Debian's Blender in a folder of its own, for the scripts that source this: attach_debian ROOT OUT, then in_debian COMMAND.
# ROOT is made when it is not there (debootstrap, 1.2 GB, as root). There vfxgen is in /opt/vfxgen/.venv, as docs/blender.md has it.
repository=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
environment=$repository/.venv
mounted=()

attach() {
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    mounted=("$root$2" "${mounted[@]}")
}
detach() { for folder in "${mounted[@]}"; do umount --lazy "$folder"; done; mounted=(); }

attach_debian() {
    root=$1
    mkdir -p "$2"
    out=$(realpath "$2")
    local python
    python=$("$environment/bin/python" -c 'import sys; print(sys.base_prefix)')
    trap detach EXIT
    for folder in /proc /dev /sys; do attach $folder $folder; done
    [ -x "$root/usr/bin/blender" ] || make_debian
    attach "$repository" "$repository"
    attach "$out" "$out"
    attach "$environment" /opt/vfxgen/.venv
    # The base of the environment's Python, where it is not the system's.
    [ "$python" = /usr ] || attach "$python" "$python"
    mkdir -p "$root/home/artist"
}

make_debian() {
    debootstrap --variant=minbase sid "$root"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    chroot "$root" apt-get -o Acquire::Check-Valid-Until=false update -q
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y --no-install-recommends blender xvfb xauth xdotool \
        imagemagick libgl1-mesa-dri libglx-mesa0 libegl1 x11-utils python3-numpy python3-requests python3-cattr
}

# in_debian [NAME=VALUE ...] COMMAND ...
in_debian() {
    chroot "$root" /usr/bin/env -i HOME=/home/artist PATH=/usr/bin:/bin LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp \
        VFXGEN_ENVIRONMENT=/opt/vfxgen/.venv "$@"
}
