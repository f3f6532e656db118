"""Review page: one HTML file with a before/after wipe over the frames, and a table of figures."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence

from vfxgen.media.publish import published

_TEMPLATE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>@title@</title>
<style>
 body { background:#17181a; color:#d8d8d8; font:15px/1.5 system-ui,sans-serif; max-width:1000px; margin:24px auto; padding:0 16px }
 h1 { font-weight:600; font-size:22px } a { color:#8fc7ff }
 .wipe { position:relative; aspect-ratio:@width@/@height@; overflow:hidden; cursor:ew-resize; touch-action:none }
 .wipe img { position:absolute; inset:0; width:100%; height:100% }
 .line { position:absolute; top:0; bottom:0; width:2px; background:#fff9; pointer-events:none }
 .names { display:flex; justify-content:space-between } .row { display:flex; gap:12px; align-items:center; margin:8px 0 }
 input[type=range] { flex:1 } select,button { background:#2a2c2f; color:inherit; border:1px solid #444; padding:4px 10px }
 table { border-collapse:collapse; width:100%; font-variant-numeric:tabular-nums } th,td { text-align:right; padding:3px 8px }
 thead th { border-bottom:1px solid #444 } tbody tr:hover,tr.now { background:#24272b } tbody tr { cursor:pointer }
 tfoot td { border-top:1px solid #444; font-weight:600 }
</style>
<h1>@title@</h1>
<p>@introduction@</p>
<div class="wipe" id="wipe"><img id="after" alt="after"><img id="before" alt="before"><div class="line" id="line"></div></div>
<div class="row"><select id="left" aria-label="left picture"></select><input type="range" id="frame" aria-label="frame" step="1">
 <span id="number"></span><button id="play">Play</button><select id="right" aria-label="right picture"></select></div>
<table><thead><tr>@head@</tr></thead><tbody>@body@</tbody><tfoot><tr>@foot@</tr></tfoot></table>
<p>@notes@</p>
<script>
const frames=@frames@, layers=@layers@, at=id=>document.getElementById(id);
let split=.5, index=0, timer=null;
for (const side of ["left","right"]) for (const name of Object.keys(layers)) at(side).add(new Option(name,name));
at("left").selectedIndex=0; at("right").selectedIndex=@right@; at("frame").max=frames.length-1; at("frame").value=0;
function show() {
  at("before").src=layers[at("left").value][index]; at("after").src=layers[at("right").value][index];
  at("before").style.clipPath=`inset(0 ${100-100*split}% 0 0)`; at("line").style.left=100*split+"%";
  at("number").textContent=frames[index]; at("frame").value=index;
  document.querySelectorAll("tbody tr").forEach((row,i)=>row.classList.toggle("now",i===index));
}
function wipe(e) { const box=at("wipe").getBoundingClientRect(); split=Math.min(1,Math.max(0,(e.clientX-box.left)/box.width)); show(); }
at("wipe").addEventListener("pointerdown",e=>{at("wipe").setPointerCapture(e.pointerId); wipe(e)});
at("wipe").addEventListener("pointermove",e=>{if(e.buttons)wipe(e)});
at("frame").oninput=e=>{index=+e.target.value; show()}; at("left").onchange=at("right").onchange=show;
at("play").onclick=()=>{ if(timer){clearInterval(timer);timer=null}else timer=setInterval(()=>{index=(index+1)%frames.length;show()},@milliseconds@);
  at("play").textContent=timer?"Stop":"Play" };
document.querySelectorAll("tbody tr").forEach((row,i)=>row.onclick=()=>{index=i;show()});
show();
</script></html>
"""


def write_page(
    path: str,
    *,
    title: str,
    introduction: str,
    notes: str,
    frames: Sequence[int],
    layers: Mapping[str, Sequence[str]],
    right: str,
    figures: Sequence[Mapping[str, float | None]],
    size: tuple[int, int],
    fps: float,
) -> None:
    """Write the page.

    Parameters
    ----------
    path
        Of the HTML file.
    title, introduction, notes
        Plain text: the heading, what stands below it, and what stands below the table.
    frames
        Frame numbers.
    layers
        Name -> a picture a frame, as paths relative to the page; the first is shown on the left.
    right
        The layer shown on the right at first.
    figures
        A row a frame: column name -> figure, None where it was not measured.
    size
        Width and height of the pictures.
    fps
        Of playback.

    Raises
    ------
    MediaError
        The file cannot be written.
    """
    columns = list(figures[0])
    means = {name: _mean([row[name] for row in figures]) for name in columns}
    rows = [
        f"<tr><td>{number}</td>" + "".join(f"<td>{_shown(row[name])}</td>" for name in columns) + "</tr>"
        for number, row in zip(frames, figures, strict=True)
    ]
    values = {
        "title": html.escape(title),
        "introduction": html.escape(introduction),
        "notes": html.escape(notes),
        "head": "<th>frame</th>" + "".join(f"<th>{html.escape(name)}</th>" for name in columns),
        "body": "".join(rows),
        "foot": "<td>mean</td>" + "".join(f"<td>{_shown(means[name])}</td>" for name in columns),
        "frames": json.dumps(list(frames)),
        "layers": json.dumps({name: list(pictures) for name, pictures in layers.items()}).replace("</", "<\\/"),
        "right": str(list(layers).index(right)),
        "width": str(size[0]),
        "height": str(size[1]),
        "milliseconds": str(round(1000 / fps)),
    }
    text = _TEMPLATE
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    with published(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(text)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
