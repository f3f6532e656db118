"""What the card of a shot's net says: its ports, and how it came to be."""

from __future__ import annotations

from collections.abc import Sequence as Values
from typing import Any

import torch

from vfxgen.encoding import Encoding
from vfxgen.frame import RGB
from vfxgen.training.loop import Fitted
from vfxgen.training.painted import Painted
from vfxgen.training.shot_objective import ShotObjective
from vfxgen.training.tasks import Task
from vfxgen.version import __version__
from vfxgen.zoo.parts import Port
from vfxgen.zoo.registry import Entry

OWN = "own material"


def port(name: str, channels: Values[str], rule: Task, mean: list[float], std: list[float]) -> Port:
    """An input or output: colour encoded and brought to `mean` and `std`, coverage as it is."""
    coloured = any(channel in RGB for channel in channels)
    words: dict[str, Any] = {"encoding": rule.encoding if coloured else "none"}
    if mean and coloured:
        others = [0.0] * (len(channels) - 3), [1.0] * (len(channels) - 3)
        words |= {"mean": mean + others[0], "std": std + others[1]}
    return Port(name=name, channels=" ".join(channels), **words)


def statistics(rule: Task, painted: Painted) -> tuple[list[float], list[float]]:
    """Mean and deviation of the plates' codes: logarithmic codes of a shot fill a small part of their range."""
    code = torch.cat([Encoding(rule.encoding).encode(plate[:3]).flatten(1) for plate in painted.plates], 1)
    return [round(v, 6) for v in code.mean(1).tolist()], [round(max(v, 1e-3), 6) for v in code.std(1).tolist()]


def card_facts(
    name: str, rule: Task, objective: ShotObjective, fitted: Fitted, base: Entry | None, run: str
) -> dict[str, Any]:
    """What a card says beside the net's form and its weights; see `vfxgen.training.publish.publish_net`."""
    painted, ports = objective.painted, (objective.port_in, objective.port_out)
    count = len(painted.numbers)
    own = {"name": OWN, "use": "commercial", "note": "frames of the shot it is for; their owner's rights apply"}
    numbers = ", ".join(map(str, painted.numbers))
    notes = [f"frames {numbers} in {painted.colorspace}", f"ended by {fitted.ended}", f"vfxgen {__version__}"]
    data = [{"name": f"painted frames {numbers}", "licence": OWN, "files": count}]
    licences: dict[str, Any] = {"code": {"name": "Apache-2.0", "use": "commercial"}, "weights": own, "data": own}
    if base:
        notes.append(f"started from {base.name} {base.card.version}")
        data += [part.model_dump(exclude_defaults=True) for part in base.card.training.data]
        licences |= {part: getattr(base.card.licences, part).model_dump() for part in ("weights", "data")}
    unit = "alpha" if ports[1].channels == "A" else "deviations of the plate's code"
    held = {"measure": "mean absolute error", "data": objective.judged_on, "unit": unit}
    return {
        "name": name,
        "task": rule.on_card,
        "summary": f"{rule.name.capitalize()} of one shot, from {count} painted frame{'s' if count > 1 else ''}",
        "scale": painted.scale,
        "inputs": [ports[0].model_dump()],
        "outputs": [ports[1].model_dump()],
        "licences": licences,
        "training": {
            "data": data,
            "run": run,
            "device": fitted.device,
            "steps": fitted.steps,
            "seconds": round(fitted.seconds, 1),
            "note": "; ".join(notes),
        },
        "quality": [{**held, "value": round(fitted.figures["error"], 6)}],
    }
