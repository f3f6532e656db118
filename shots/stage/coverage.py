"""Materials that cover in part, and those that shine white for a pass that measures coverage alone."""

from typing import Any

from shots.stage.nodes import Colour, node


def glow(material: Any, on: bool) -> None:
    """Let a material shine white instead of its look, equally transparent.

    Then adaptive sampling, which looks at colour alone, sends its samples to where coverage is uncertain.
    """
    tree = material.node_tree
    surface = tree.nodes["Material Output"].inputs["Surface"]
    if "look" not in tree.nodes:
        look = node(tree, "NodeReroute", {0: surface.links[0].from_socket})
        look.name = "look"
        white = node(tree, "ShaderNodeEmission").outputs[0]
        cover = coverage(tree)
        if cover is not None:
            clear = node(tree, "ShaderNodeBsdfTransparent").outputs[0]
            white = node(tree, "ShaderNodeMixShader", {0: cover, 1: clear, 2: white}).outputs[0]
        node(tree, "NodeReroute", {0: white}).name = "glow"
    tree.links.new(tree.nodes["glow" if on else "look"].outputs[0], surface)


def sheer(material: Any, cover: Any, front: Any, colour: Colour, through: float) -> Any:
    """Cloth as opaque as the socket `cover` says; where it is, it shows the shader `front`, and light from behind."""
    tree = material.node_tree
    cover.node.name = "cover"
    back = node(tree, "ShaderNodeBsdfTranslucent", {"Color": (*colour, 1)}).outputs[0]
    cloth = node(tree, "ShaderNodeMixShader", {0: through, 1: front, 2: back}).outputs[0]
    clear = node(tree, "ShaderNodeBsdfTransparent").outputs[0]
    both = node(tree, "ShaderNodeMixShader", {0: cover, 1: clear, 2: cloth}).outputs[0]
    tree.links.new(both, tree.nodes["Material Output"].inputs["Surface"])
    return material


def coverage(tree: Any) -> Any:
    """The socket that says how opaque a material is; None when it is solid."""
    if "cover" in tree.nodes:
        return tree.nodes["cover"].outputs[0]
    shader = tree.nodes.get("Principled BSDF")
    links = shader.inputs["Alpha"].links if shader else []
    return links[0].from_socket if links else None
