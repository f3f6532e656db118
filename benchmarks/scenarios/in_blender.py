"""Renders of nodes inside Blender, for `blender_overhead`: argv is a folder and the extension; a request a line."""

import json
import os
import shutil
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import bpy

EXTENSION = "bl_ext.user_default.vfxgen"
SAID = "measured: "


def main() -> None:
    """Answer each request with what its render took."""
    folder, extension = sys.argv[1:]
    bpy.ops.extensions.package_install_files(filepath=extension, repo="user_default", enable_on_install=True)
    bpy.ops.wm.save_as_mainfile(filepath=f"{folder}/overhead.blend")
    for line in sys.stdin:
        asked = json.loads(line)
        measured = _by_hand(asked) if "out" in asked else _measured(asked)
        print(SAID + json.dumps(measured), flush=True)
    _module("worker").close()
    os._exit(0)


def _measured(asked: dict[str, Any]) -> dict[str, Any]:
    """Render a node of its own, step by step as a window does without its redraws."""
    job, task, worker = (_module(name) for name in ("job", "task", "worker"))
    place, folder = _node(asked)
    pid = worker.client().about.get("pid") or (worker.call("describe") and worker.client().about["pid"])
    before, start = [_cpu(os.getpid()), _cpu(pid)], time.perf_counter()
    first = block = export = 0.0
    steps = job.render(place)
    while True:
        exported, began, cpu = _exported(task), time.perf_counter(), time.thread_time()
        try:
            next(steps)
        except StopIteration:
            break
        seconds, cpu = time.perf_counter() - began, time.thread_time() - cpu
        if _exported(task) > exported:
            export = max(export, cpu)
        else:
            block = max(block, cpu)
        if not first and any(one.words.startswith("frame") for one in task.running.values()):
            first = time.perf_counter() - start
        if seconds < 0.005:
            time.sleep(0.01)
    facts = {"seconds": time.perf_counter() - start, "first": first, "block": block, "export": export}
    shutil.rmtree(folder)
    return {**facts, "cpu": [_cpu(os.getpid()) - before[0], _cpu(pid) - before[1]]}


def _by_hand(asked: dict[str, Any]) -> dict[str, Any]:
    """What Blender takes to render what would feed the node to float EXR in the folder `out`."""
    tree, socket = _fed(asked)
    scene = bpy.data.scenes[0]
    _module("export").configure(scene)
    output = _module("versions").file_output(tree, asked["out"] + os.sep, "plate", 1, "RGBA")
    output.file_name = "plate."
    tree.links.new(socket, output.inputs[0])
    before, start = _cpu(os.getpid()), time.perf_counter()
    bpy.ops.render.render(animation=True)
    return {"seconds": time.perf_counter() - start, "cpu": [_cpu(os.getpid()) - before]}


def _node(asked: dict[str, Any]) -> tuple[Any, Path]:
    """A node that has never been rendered; its place and the folder of its frames."""
    tree, socket = _fed(asked)
    node = _module("node").add(tree, asked["operator"])
    for name, value in asked["parameters"].items():
        setattr(getattr(node.node_tree.vfxgen, asked["operator"]), name, value)
    node.node_tree.vfxgen.identifier = uuid.uuid4().hex[:8]
    tree.links.new(socket, node.inputs[0])
    tree.links.new(node.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    place = _module("places").Place(bpy.data.scenes[0].name, (node.name,))
    return place, _module("folders").output(node.node_tree)


def _fed(asked: dict[str, Any]) -> tuple[Any, Any]:
    """A compositor tree of its own, and what is to feed a node in it: an Image node, or it through another node."""
    for old in [*bpy.data.node_groups]:
        bpy.data.node_groups.remove(old)
    scene = bpy.data.scenes[0]
    scene.frame_start, scene.frame_end = 1, asked["count"]
    tree = bpy.data.node_groups.new("Compositor", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    scene.compositing_node_group = tree
    source = tree.nodes.new("CompositorNodeImage")
    source.image = bpy.data.images.load(asked["plate"], check_existing=False)
    source.image.source, source.image.colorspace_settings.name = "SEQUENCE", "Linear Rec.709"
    source.frame_duration, source.frame_offset = asked["count"], asked["first"] - 1
    socket = source.outputs[0]
    if asked["is_exported"]:
        gain = tree.nodes.new("CompositorNodeExposure")
        tree.links.new(socket, gain.inputs[0])
        socket = gain.outputs[0]
    return tree, socket


def _exported(task: Any) -> float:
    return sum(one.exported for one in task.running.values())


def _cpu(process: int) -> float:
    """Seconds of processor time that a process has taken."""
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _module(name: str) -> Any:
    return __import__(f"{EXTENSION}.{name}", fromlist=["*"])


if __name__ == "__main__":
    main()
