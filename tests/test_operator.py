"""The declaration of an operator: what it checks, what it says, and the key that follows from it."""

from __future__ import annotations

import inspect
from typing import Any, Literal

import numpy as np
import pytest

import vfxgen
from vfxgen.errors import FrameError, RequestError
from vfxgen.frame import RGB, Frame
from vfxgen.operator import Color, Operator, allowed, digest, image_input, parameter
from vfxgen.operators import operator_class, operators
from vfxgen.operators.grade import Grade
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures, constant


class Tint(Operator):
    """Tint frames, for these tests."""

    plate: Sequence = image_input("Frames to tint.", channels="R G B")
    mask: Sequence | None = image_input("Where to tint.", optional=True)
    strength: float = parameter(help="How much.", minimum=0.0, maximum=2.0, unit="stops")
    color: Color = parameter((1.0, 0.5, 0.25), "Which colour.", minimum=0.0)
    mode: Literal["add", "multiply"] = parameter("add", "How.")
    passes: int = parameter(1, "How often.", minimum=1)
    flip: bool = parameter(False, "Upside down.")
    label: str = parameter("", "For people.")
    limit: float | None = parameter(None, "At most.", minimum=0.0)

    writes = RGB

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        return plate.with_pixels(RGB, plate.rgb * np.float32(self.strength))


class Broken(Operator):
    """Fail."""

    plate: Sequence = image_input("Frames.")

    def frame(self, number: int) -> Frame:
        raise ZeroDivisionError("no light")


DEFAULTS = {
    "strength": 1.0, "color": (1.0, 0.5, 0.25), "mode": "add", "passes": 1, "flip": False, "label": "", "limit": None
}  # fmt: skip
PLATE = constant([0.2, 0.4, 8.0])


def tint(**values: Any) -> Tint:
    return Tint(PLATE, **{"strength": 1.0} | values)


def test_defaults_are_those_declared_and_every_parameter_has_a_name() -> None:
    node = tint()
    assert node.parameters == DEFAULTS
    assert (node.plate, node.mask, node.color) == (PLATE, None, (1.0, 0.5, 0.25))


def test_values_may_be_given_by_place() -> None:
    node = Tint(PLATE, None, 1.5, (1, 2, 3))
    assert (node.strength, node.color) == (1.5, (1.0, 2.0, 3.0))


def test_a_value_given_twice_is_refused() -> None:
    with pytest.raises(RequestError, match=r"tint: strength given twice"):
        Tint(PLATE, None, 1.0, strength=2.0)


def test_too_many_values_are_refused() -> None:
    with pytest.raises(RequestError, match=r"grade: 9 values given, it takes 6: plate, mask, slope"):
        Grade(*[PLATE] * 9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"strength": 3}, "tint.strength = 3: must be a number, 0 .. 2"),
        ({"strength": float("nan")}, "tint.strength = nan: must be a number, 0 .. 2"),
        ({"strength": "much"}, "tint.strength = 'much': must be a number, 0 .. 2"),
        ({"strength": None}, "tint.strength = None: must be a number, 0 .. 2"),
        ({"color": (1, 2)}, r"tint.color = \(1, 2\): must be red,green,blue, 0 or more"),
        ({"color": "1,x,2"}, "tint.color = '1,x,2': must be red,green,blue, 0 or more"),
        ({"color": (1, -2, 3)}, r"tint.color = \(1, -2, 3\): must be red,green,blue, 0 or more"),
        ({"color": (1, float("inf"), 3)}, "tint.color = .*: must be red,green,blue, 0 or more"),
        ({"mode": "burn"}, "tint.mode = 'burn': must be add | multiply"),
        ({"passes": 0}, "tint.passes = 0: must be a whole number, 1 or more"),
        ({"passes": 1.5}, "tint.passes = 1.5: must be a whole number, 1 or more"),
        ({"flip": "perhaps"}, "tint.flip = 'perhaps': must be true | false"),
        ({"label": 7}, "tint.label = 7: must be text"),
        ({"limit": -1}, "tint.limit = -1: must be a number, 0 or more"),
        ({"strenght": 1}, "tint: has no parameter 'strenght'; it has plate, mask, strength, color, mode"),
    ],
)
def test_an_error_names_operator_parameter_and_what_is_allowed(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message.replace("|", r"\|")):
        tint(**values)


def test_a_missing_parameter_is_said_with_its_help() -> None:
    with pytest.raises(RequestError, match=r"tint.strength is missing: How much\. \(a number, 0 \.\. 2\)"):
        Tint(PLATE)


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(RequestError, match=r"tint\.strength.*; tint\.passes.*; tint: has no parameter 'x'"):
        tint(strength=9, passes=0, x=1)


@pytest.mark.parametrize(
    ("given", "color"),
    [
        ("0.1,0.6,0.2", (0.1, 0.6, 0.2)),
        ("0.1 0.6 0.2", (0.1, 0.6, 0.2)),
        ("0.5", (0.5, 0.5, 0.5)),
        (2, (2.0, 2.0, 2.0)),
        (np.float32(2), (2.0, 2.0, 2.0)),
        ([1, 2, 3], (1.0, 2.0, 3.0)),
        (np.array([1, 2, 3]), (1.0, 2.0, 3.0)),
    ],
)
def test_colours_come_from_text_numbers_and_arrays(given: object, color: tuple[float, ...]) -> None:
    assert tint(color=given).color == color


@pytest.mark.parametrize(("given", "kept"), [("1.5", 1.5), (1, 1.0), (np.float32(1.5), 1.5)])
def test_numbers_come_from_text_as_on_a_command_line(given: object, kept: float) -> None:
    assert tint(strength=given).strength == kept


def test_an_input_must_be_a_sequence() -> None:
    with pytest.raises(
        RequestError, match=r"tint: the input 'plate' must be a sequence, such as vfxgen.read\(...\), not str"
    ):
        Tint("plate.####.exr", strength=1)
    with pytest.raises(RequestError, match=r"the input 'mask' must be a sequence.*not int"):
        Tint(PLATE, 3, strength=1)
    with pytest.raises(RequestError, match=r"tint: the input 'plate' is missing: Frames to tint\."):
        Tint(strength=1)


def test_a_frame_without_the_channels_an_input_needs_is_refused() -> None:
    node = Tint(Pictures(np.ones((2, 2, 2), np.float32), ["R", "A"]), strength=1)
    with pytest.raises(FrameError, match=r"tint: input 'plate': frame 7 .* no channel G B; it has R A"):
        node[7]


def test_whatever_goes_wrong_names_the_operator_and_the_frame() -> None:
    with pytest.raises(FrameError, match=r"broken: frame 1017: ZeroDivisionError: no light") as caught:
        Broken(PLATE)[1017]
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_declaration_is_what_a_host_draws_from() -> None:
    kinds = {name: declared.kind for name, declared in Tint.declared_parameters.items()}
    assert list(kinds) == list(DEFAULTS)
    assert list(kinds.values()) == ["float", "color", "choice", "int", "bool", "str", "float"]
    assert Tint.declared_parameters["mode"].choices == ("add", "multiply")
    assert Tint.declared_parameters["strength"].required
    assert Tint.declared_parameters["strength"].unit == "stops"
    assert allowed(Tint.declared_parameters["color"]) == "red,green,blue, 0 or more"
    assert list(Tint.declared_inputs) == ["plate", "mask"]
    assert Tint.declared_inputs["mask"].optional


def test_the_signature_is_generated() -> None:
    fields = inspect.signature(Tint).parameters
    assert list(fields) == ["plate", "mask", *Tint.declared_parameters]
    assert fields["plate"].default is inspect.Parameter.empty
    assert fields["mask"].default is None
    assert fields["mode"].default == "add"
    # A required one after an optional one can only be given by name.
    assert fields["strength"].kind is inspect.Parameter.KEYWORD_ONLY
    assert str(inspect.signature(Grade)).startswith("(plate: ")


CHANGES = {
    "strength": 1.5, "color": (1, 1, 1), "mode": "multiply", "passes": 2, "flip": True, "label": "x", "limit": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_the_key_changes_with_every_parameter(name: str) -> None:
    assert tint(**{name: CHANGES[name]}).key(1) != tint().key(1)


def test_the_key_changes_with_what_the_inputs_hold_and_not_otherwise() -> None:
    pixels = np.zeros((4, 6, 3), np.float32)
    keys = {
        "same": Tint(Pictures(pixels.copy()), strength=1).key(1),
        "pixel": Tint(Pictures(pixels + 1e-6), strength=1).key(1),
        "shape": Tint(Pictures(pixels.reshape(6, 4, 3)), strength=1).key(1),
        "channels": Tint(Pictures(pixels, ["R", "G", "Z"]), strength=1).key(1),
        "mask": Tint(Pictures(pixels), Pictures(pixels), strength=1).key(1),
        "operator": Grade(Pictures(pixels)).key(1),
    }
    assert len(set(keys.values())) == len(keys)
    assert Tint(Pictures(pixels), strength="1.0").key(1) == keys["same"]
    assert Tint(Pictures(pixels), strength=1).key(1017) == keys["same"]


def test_the_key_is_that_of_the_frame_and_of_every_node_above() -> None:
    pictures = {n: np.full((2, 2, 3), n, np.float32) for n in (1, 2)}
    plate = Pictures(pictures)
    deep = Tint(Grade(plate, slope=2), strength=1)
    assert deep.key(1) != deep.key(2)
    assert deep.key(1) != Tint(Grade(plate, slope=3), strength=1).key(1)
    assert deep.key(1) == Tint(Grade(Pictures(dict(pictures)), slope=2), strength=1).key(1)


def test_a_digest_does_not_depend_on_the_order_of_facts() -> None:
    assert digest(a=1, b=[2.5, "x"]) == digest(b=[2.5, "x"], a=1)
    assert digest(a=1) != digest(a=2)
    assert len(digest(a=1)) == 64
    with pytest.raises(ValueError, match="Out of range"):
        digest(a=float("nan"))


def test_the_range_is_that_of_the_main_input_or_of_the_first_that_has_one() -> None:
    moving = Pictures({n: np.ones((2, 2, 3), np.float32) for n in (3, 1, 2)})
    assert Tint(moving, strength=1).range == [1, 2, 3]
    assert Tint(PLATE, moving, strength=1).range == [1, 2, 3]
    assert Tint(PLATE, strength=1).range is None


def test_an_operator_reads_as_it_was_made() -> None:
    assert repr(Grade(PLATE, slope=2)).startswith("Grade(plate, slope=(2.0, 2.0, 2.0)")


def test_every_file_in_the_folder_is_an_operator_by_name() -> None:
    found = operators()
    assert {"grade", "merge", "resize", "reformat", "denoise", "grain", "read"} <= set(found)
    assert operator_class("grade") is Grade is vfxgen.Grade
    with pytest.raises(RequestError, match=r"there is no operator 'grad'; there are .*grade"):
        operator_class("grad")
    with pytest.raises(AttributeError, match="no attribute 'Grad'"):
        _ = vfxgen.Grad


@pytest.mark.parametrize("name", sorted(operators()))
def test_every_declaration_is_whole(name: str) -> None:
    cls = operators()[name]
    assert cls.__doc__
    assert cls.__doc__.splitlines()[0].endswith(".")
    helps = {i.name: i.help for i in cls.declared_inputs.values()}
    helps |= {p.name: p.help for p in cls.declared_parameters.values()}
    assert [field for field, help in helps.items() if not help.endswith(".")] == []
    for value in cls.declared_parameters.values():
        assert allowed(value)
        if not value.required:
            cls.validated({p.name: "x" for p in cls.declared_parameters.values() if p.required})
