#!/usr/bin/env bash
# Debian's Blender without a window, as a farm runs it: blender -b FILE -a. blender_farm.sh DEBIAN OUT: as for blender_window.sh.
set -euo pipefail
source "$(dirname "$0")/debian_blender.sh"
attach_debian "$1" "$2"
frames=(farm.0001.exr farm.0002.exr farm.0003.exr)

say() { echo "blender_farm: $*" >&2; }
blender() { in_debian BLENDER_USER_RESOURCES="$out/user" timeout -s KILL 300 blender "$@"; }
render() { blender -b "$out/$1.blend" -a >"$out/$1.log" 2>&1; }
require() { for frame in "${frames[@]}"; do [ -s "$out/$1/$frame" ] || { say "$1: no $frame"; exit 1; }; done; }

rm -rf "$out"/{user,stale,allowed,done,bare,*.blend,vfxgen}
blender --command extension install-file -r user_default -e "$repository/dist/vfxgen-blender.zip" >"$out/install.log" 2>&1
blender -b --python-exit-code 1 --python "$repository/tests/plugins/blender/scenarios/farm.py" -- \
    "$out" "$repository/shots/greenscreen/plate/greenscreen.1001.exr" >"$out/files.log" 2>&1

code=0
render stale || code=$?
[ $code = 1 ] || { say "a stale node: exit code $code, not 1"; exit 1; }
[ ! -e "$out/stale" ] || { say "frames of a stale node were written"; exit 1; }
grep "vfxgen: Key: not rendered" "$out/stale.log"

render allowed
require allowed
render done
require done
# Nobody's user folder: the extension is not there.
in_debian BLENDER_USER_RESOURCES="$out/nobody" VFXGEN_ENVIRONMENT= blender -b "$out/bare.blend" -a >"$out/bare.log" 2>&1
require bare
for frame in "${frames[@]}"; do
    cmp "$out/allowed/$frame" "$out/done/$frame"
    cmp "$out/done/$frame" "$out/bare/$frame"
done
say "stale refused, allowed rendered, up to date rendered with and without the extension: the same bits"
