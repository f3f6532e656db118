#!/usr/bin/env bash
# Debian's Blender in a real window, under Xvfb: a key rendered to its end, one stopped by ESC half-way, a grade from the Image
# Editor's menu, and the pictures of docs/blender.md. blender_window.sh DEBIAN OUT: DEBIAN is made when it is not there; OUT gets
# pictures and facts.
set -euo pipefail
source "$(dirname "$0")/debian_blender.sh"
attach_debian "$1" "$2"

in_window() {
    in_debian LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe \
        timeout -s KILL 300 xvfb-run -a -s "-screen 0 1600x900x24 +extension GLX" \
        blender --factory-startup --window-geometry 0 0 1600 900 --python "$repository/tests/plugins/blender/scenarios/$1.py" -- \
        "$out" "$repository/dist/vfxgen-blender.zip" "$repository/shots/greenscreen/plate/greenscreen.1001.exr" "$2" \
        >"$out/$2.log" 2>&1 || { tail -20 "$out/$2.log"; exit 1; }
}

rm -rf "$root/home/artist/.config"
in_window tour tour
in_window window_image image
cat "$out/image.json"
for mode in end escape; do
    in_window window "$mode"
    cat "$out/$mode.json"
done
grep -q '"status": "up to date"' "$out/end.json"
grep -q '"status": "frames .* missing"' "$out/escape.json"
grep -q '"editor": "greenscreen.1001.exr grade"' "$out/image.json"
cut() { in_debian convert "$out/$1.png" -crop "$2" +repage -quality 88 "$out/$3.jpg"; }
cut tour_preferences 1320x800+0+25 blender_preferences
cut tour_add 900x690+0+25 blender_add
cut end_before 1096x780+215+28 blender_before
cut end_mid 1096x780+215+28 blender_rendering
cut end_end 1096x780+215+28 blender_done
cut image_dialog 1120x720+0+0 blender_image_editor
