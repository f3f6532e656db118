"""The command line: one verb an operator, generated from its declaration, and a few that are about everything."""

from __future__ import annotations

import inspect
import json
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal, NoReturn

import typer

from vfxgen import cli_nets, cli_train, describe, doctor, graph, info, render
from vfxgen.errors import MediaError, RequestError
from vfxgen.guard import SOMETHING_FAILED, guarded, say
from vfxgen.log import NEWS, Lines, log
from vfxgen.media.pattern import parse_frames
from vfxgen.operator import Operator, Parameter, allowed
from vfxgen.operators import operator_class, operators
from vfxgen.output import Output, output_of
from vfxgen.progress import report
from vfxgen.version import __version__

app = typer.Typer(
    name="vfxgen",
    help="Operators for film frames: scene-linear, float, from plate to published frame.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.add_typer(cli_nets.app)
app.command("train")(cli_train.train)

_SET = "node.parameter=value; may be given more than once. An input is a node: foreground.colorspace=ACEScg."
Frames = Annotated[str, typer.Option("--frames", help="Frame range: 1001-1100, 1001-1100x2, 1001,1005. Default: all.")]
Force = Annotated[
    bool, typer.Option("--force", help="Make frames again that are current, and movies that lose frames.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead of progress.")]
Memory = Annotated[float, typer.Option("--memory", help="GiB that waiting frames may take.", min=0.1, max=1e6)]
OnError = Annotated[Literal["stop", "skip"], typer.Option("--on-error", help="After a frame that fails: stop or skip.")]
Assignments = Annotated[
    list[str],
    typer.Option("--set", help=_SET),
]


def _run(jobs: list[render.Job], frames: list[int], as_json: bool, **options: Any) -> int:
    options["memory"] = int(options["memory"] * 1024**3)
    total = len(frames) * render.events_per_frame(jobs)
    return report(render.render(jobs, frames, **options), total, as_json=as_json)


@app.command("render")
@guarded
def render_shot(
    shot: Annotated[str, typer.Argument(help="A shot file (.toml or .json).")],
    frames: Frames = "",
    output: Annotated[list[str], typer.Option("--output", help="Only this output; may be given more than once.")] = [],  # noqa: B006
    assignments: Assignments = [],  # noqa: B006
    on_error: OnError = "stop",
    force: Force = False,
    as_json: AsJson = False,
    memory: Memory = 4.0,
) -> int:
    """Render the outputs of a shot file; frames that are current are skipped."""
    loaded = graph.load_shot(shot)
    for assignment in assignments:
        graph.set_value(loaded.nodes, assignment)
    if unknown := [name for name in output if name not in loaded.outputs]:
        raise RequestError(f"{shot}: there is no output '{unknown[0]}'; there are {', '.join(loaded.outputs)}")
    sequences = graph.build(loaded.nodes, str(Path(shot).parent), shot)
    chosen = {name: made for name, made in loaded.outputs.items() if not output or name in output}
    jobs = [
        render.Job(sequences[made.node], Output(**made.model_dump(exclude={"node"})), name)
        for name, made in chosen.items()
    ]
    return _run(jobs, parse_frames(frames or loaded.frames), as_json, on_error=on_error, force=force, memory=memory)


@app.command("info")
@guarded
def show_info(
    paths: Annotated[list[str], typer.Argument(help="Files or patterns.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Say what files are: range, gaps, windows, channels, colour, time code; then which cannot be read."""
    found, faults = [], []
    for path in paths:
        try:
            found.append(info.describe(path))
        except MediaError as error:
            faults.append(str(error))
    if found or as_json:
        text = json.dumps(found, indent=2, default=str) if as_json else "\n\n".join(map(info.text, found))
        print(text, flush=True)
    for fault in faults:
        say(fault)
    return SOMETHING_FAILED if faults else 0


@app.command("operators")
@guarded
def list_operators(
    as_json: Annotated[bool, typer.Option("--json", help="Print every declaration as JSON.")] = False,
    pages: Annotated[
        str, typer.Option("--pages", help="Write a documentation page an operator into this folder.")
    ] = "",
) -> int:
    """List the operators, or print their declarations as JSON, or write their documentation pages."""
    if pages:
        Path(pages).mkdir(parents=True, exist_ok=True)
        for name, operator in operators().items():
            Path(pages, f"{name}.md").write_text(describe.page(operator))
    elif as_json:
        print(json.dumps(describe.catalogue(operators()), indent=2))
    else:
        for name, operator in operators().items():
            print(f"{name:12} {describe.summary(operator)}")
    return 0


@app.command("export")
@guarded
def export_net(
    net: Annotated[str, typer.Argument(help="Name of a net; see vfxgen nets list.")],
    out: Annotated[str, typer.Option("--out", help="The file to write.")],
    to: Annotated[Literal["onnx", "torchscript"], typer.Option("--to", help="Which form.")] = "onnx",
    opset: Annotated[int, typer.Option("--opset", help="ONNX opset.")] = 20,
    fp16: Annotated[bool, typer.Option("--fp16", help="Compute in half precision.")] = False,
    static: Annotated[str, typer.Option("--static", help="One size, HxW; default: any size.")] = "",
    card: Annotated[bool, typer.Option("--card", help="Write a card beside it, so that the folder is a net.")] = False,
) -> int:
    """Write a net as ONNX or TorchScript, held against torch; prints how near it is."""
    from vfxgen.export import export
    from vfxgen.zoo.registry import find

    size = re.fullmatch(r"(\d+)x(\d+)", static) if static else None
    if static and size is None:
        raise RequestError(f"--static {static}: write height x width, such as 540x960")
    shape = (int(size[1]), int(size[2])) if size else None
    print(export(find(net), out, to, opset=opset, fp16=fp16, static=shape, card=card))
    return 0


@app.command("doctor")
@guarded
def show_doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> int:
    """Say what works here and what does not: versions, CPU, GPU, colour, formats."""
    found = doctor.examine()
    print(json.dumps(found, indent=2) if as_json else doctor.text(found))
    return 0


@app.command("worker")
@guarded
def run_worker(
    idle: Annotated[
        float, typer.Option("--idle", help="Seconds without work until it ends; 0: never.", min=0, max=1e9)
    ] = 600.0,
) -> None:
    """Serve a host such as Blender: requests on stdin, answers on stdout; see docs/hosts.md."""
    from vfxgen.hosts.worker import serve

    serve(idle)


@app.command("demo")
@guarded
def run_demo(
    out: Annotated[str, typer.Option("--out", help="Folder for frames, movie, contact sheet and report.")] = "demo_out",
    shot: Annotated[str, typer.Option("--shot", help="Another shot file, with truth beside it.")] = "",
    frames: Frames = "",
) -> int:
    """Key, grade and composite the sample shot, run every shipped net; leave pictures and figures to look at."""
    from vfxgen.report import demo

    return demo.run(out, shot, frames)


def _operator_verb(operator: type[Operator]) -> Callable[..., None]:
    """The command of one operator: its inputs and parameters as options, and those of the output."""
    inputs, parameters = operator.declared_inputs, operator.declared_parameters
    read = operator_class("read").declared_parameters

    def command(**options: Any) -> int:
        plate = {
            name: options.pop(name) for name in ("colorspace", "part", "view", "layer", "missing", "working_space")
        }
        nodes: graph.Nodes = {}
        fields: dict[str, Any] = {"operator": operator.name}
        for name in inputs:
            if path := options.pop(name):
                own = plate if not nodes else {"working_space": plate["working_space"], "missing": plate["missing"]}
                nodes[name] = {"operator": "read", "path": path, **{k: v for k, v in own.items() if v}}
                fields[name] = name
        fields |= {name: value for name in parameters if (value := options.pop(name)) is not None}
        nodes[operator.name] = fields
        for assignment in options.pop("assignments") or []:
            graph.set_value(nodes, assignment)
        sequence = graph.build(nodes, "", "")[operator.name]
        frames = options.pop("frames")
        run = {name: options.pop(name) for name in ("as_json", "on_error", "force", "memory")}
        path = options.pop("out")
        names = {"out_colorspace": "colorspace", "out_view": "view"}
        output = output_of(path, **{names.get(k, k): v for k, v in options.items() if v})
        return _run([render.Job(sequence, output)], render.frame_numbers(sequence, frames, output), **run)

    def option(name: str, help: str, default: Any = "", type: Any = str, **words: Any) -> inspect.Parameter:
        flag = "--" + name.replace("_", "-")
        annotation = Annotated[type, typer.Option(flag, help=help, **words)]
        kind = inspect.Parameter.KEYWORD_ONLY
        empty = inspect.Parameter.empty
        return inspect.Parameter(name, kind, default=empty if default is ... else default, annotation=annotation)

    fields = [
        option(i.name, f"{i.help} A pattern, a file or a movie.", "" if i.optional else ..., metavar="PATTERN")
        for i in inputs.values()
    ]
    fields.append(
        option("out", "Where the frames go: a pattern such as comp.####.exr, or a movie.", ..., metavar="PATTERN")
    )
    fields += [_parameter_option(option, p) for p in parameters.values()]
    plate_words = {name: read[name].help.replace("the file", "the plate") for name in read}
    reading, writing = "Reading", "Writing"
    for name in ("colorspace", "working_space", "part", "view", "layer", "missing"):
        takes = f" [{allowed(read[name])}]" if read[name].choices else ""
        fields.append(option(name, plate_words[name] + takes, rich_help_panel=reading))
    fields += [
        option(
            "type",
            "Store as half, float, uint8, uint10, uint12, uint16; default: as the plate.",
            rich_help_panel=writing,
        ),
        option(
            "compression",
            "Of EXR: zip, piz, dwaa:45 ...; default: the plate's if it is lossless.",
            rich_help_panel=writing,
        ),
        option("channels", "Channels to write, in order: RGBA or R,G,B,depth.Z.", rich_help_panel=writing),
        option("out_colorspace", "Colour space of the output; default: the plate's.", rich_help_panel=writing),
        option("out_view", "A display view instead of a colour space.", rich_help_panel=writing),
        option("fps", "Frames a second of a movie; default: the plate's, else 24.", rich_help_panel=writing),
        option("codec", "Of a movie: h264, prores, prores4444; default: by its extension.", rich_help_panel=writing),
    ]
    run = {"frames": Frames, "assignments": Assignments, "on_error": OnError, "force": Force, "as_json": AsJson}
    defaults: dict[str, Any] = {"frames": "", "assignments": None, "on_error": "stop", "force": False, "as_json": False}
    for name, annotation in {**run, "memory": Memory}.items():
        default = {**defaults, "memory": 4.0}[name]
        kind = inspect.Parameter.KEYWORD_ONLY
        fields.append(inspect.Parameter(name, kind, default=default, annotation=annotation))
    command.__doc__ = inspect.getdoc(operator)
    verb = guarded(command)
    verb.__signature__ = inspect.Signature(fields)  # type: ignore[attr-defined]
    verb.__annotations__ = {field.name: field.annotation for field in fields}
    return verb


def _parameter_option(option: Callable[..., inspect.Parameter], declared: Parameter) -> inspect.Parameter:
    unit = f" {declared.unit}" if declared.unit else ""
    help = f"{declared.help} [{allowed(declared)}{unit}; default: {describe.shown(declared)}]"
    return option(declared.name, help, None, str | None, metavar="VALUE", show_default=False)


def main() -> NoReturn:
    """Entry point of the `vfxgen` command."""
    log.addHandler(Lines())
    log.setLevel(NEWS)
    signal.signal(signal.SIGTERM, _interrupt)
    for name, operator in operators().items():
        if operator.declared_inputs:
            app.command(name, help=_help_text(operator))(_operator_verb(operator))
    app()
    sys.exit(0)


def _help_text(operator: type[Operator]) -> str:
    text = inspect.getdoc(operator) or ""
    return text.split("\nExamples\n", 1)[0].strip()


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _version(value: bool) -> None:
    if value:
        print(f"vfxgen {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    main()
