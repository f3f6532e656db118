"""Every operator's node: added, thirty in a file, saved, opened, copied, undone; the extension off and on."""

from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    tree = stage.empty_scene(1, 2)[1]
    facts: dict[str, object] = {}
    names = list(stage.extension("schema").operators())
    facts["sockets"] = {name: [[socket.name, socket.type] for socket in stage.add(tree, name).inputs] for name in names}
    values = stage.extension("settings").values
    facts["defaults"] = {node.node_tree.vfxgen.operator: values(node.node_tree) for node in vfxgen_nodes(tree)}
    while len(vfxgen_nodes(tree)) < 30:
        stage.add(tree, names[len(vfxgen_nodes(tree)) % len(names)])
    grade = tree.nodes["Grade"].node_tree.vfxgen.grade
    grade.slope, grade.saturation = (0.3, 2.5, 0.7), 0.35
    key = tree.nodes["Key"].node_tree.vfxgen.key
    key.use_screen_color, key.screen_color, key.screen = True, (0.1, 0.6, 0.2), "blue"
    key.clip_black = 7.0
    tree.nodes["Upscale"].node_tree.vfxgen.upscale.net = "upscale-x2"
    facts["set"] = {name: values(tree.nodes[name].node_tree) for name in ("Grade", "Key", "Upscale")}
    facts.update(saved_and_opened(folder))
    facts.update(copied())
    facts.update(off_and_on())
    return facts


def vfxgen_nodes(tree: bpy.types.NodeTree) -> list[bpy.types.Node]:
    return [node for node in tree.nodes if stage.extension("node").is_ours(node)]


def opened() -> bpy.types.NodeTree:
    scene = bpy.data.scenes["Shot"]
    return scene.compositing_node_group if stage.IS_5 else scene.node_tree


def saved_and_opened(folder: Path) -> dict[str, object]:
    file = str(folder / "nodes.blend")
    bpy.ops.wm.save_as_mainfile(filepath=file)
    bpy.ops.wm.open_mainfile(filepath=file)
    tree, values = opened(), stage.extension("settings").values
    identifiers = {node.node_tree.vfxgen.identifier for node in vfxgen_nodes(tree)}
    return {
        "opened": {name: values(tree.nodes[name].node_tree) for name in ("Grade", "Key", "Upscale")},
        "identifiers": len(identifiers),
    }


def copied() -> dict[str, object]:
    """A copied node shares the tree inside until it is rendered; an appended one has another tree of that name."""
    tree, make_own = opened(), stage.extension("node").make_own
    first, second = tree.nodes["Grade"], tree.nodes.new("CompositorNodeGroup")
    second.node_tree = first.node_tree
    own = make_own(second)
    own.vfxgen.grade.saturation = 3.0
    appended = first.node_tree.copy()
    third = tree.nodes.new("CompositorNodeGroup")
    third.node_tree = appended
    make_own(third)
    return {
        "copied": [round(node.node_tree.vfxgen.grade.saturation, 3) for node in (first, second, third)],
        "copied_identifiers": len({node.node_tree.vfxgen.identifier for node in (first, second, third)}),
        "unshared_stays": make_own(first) == first.node_tree,
    }


def off_and_on() -> dict[str, object]:
    bpy.ops.preferences.addon_disable(module=stage.EXTENSION)
    off = hasattr(bpy.types.CompositorNodeTree, "vfxgen")
    stage.enable()
    return {"off": off, "on": stage.extension("settings").values(opened().nodes["Grade"].node_tree)}


stage.scenario(run)
