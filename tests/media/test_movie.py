"""Movies: the same bits in any order, no clipping, words for what is wrong."""

from __future__ import annotations

import hashlib
import random
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfxgen import color
from vfxgen.errors import MediaError
from vfxgen.frame import Frame, Pixels
from vfxgen.media import component_video, timecode
from vfxgen.media.movie import Movie, is_movie
from vfxgen.media.movie_writer import CODECS, MovieWriter, comment_of, encoder_of

FILM = Fraction(24000, 1001)
WAYS = [(codec, container) for container, codecs in CODECS.items() for codec in codecs]


def ramp(index: int, channels: int = 3, size: tuple[int, int] = (48, 64)) -> Pixels:
    """Smooth colour that moves with the index, 0..1."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    waves = [0.5 + 0.5 * np.sin(x / 13 + k + index / 3) * np.cos(y / 11 + k) for k in range(channels)]
    return np.stack(waves, axis=-1).astype(np.float32)


def write(path: Path, frames: list[Pixels], codec: str = "prores", container: str = "mov", **options: Any) -> Path:
    with MovieWriter(str(path), format=container, codec=codec, fps=options.pop("fps", FILM), **options) as movie:
        for pixels in frames:
            movie.write(pixels)
    return path


def encode(path: Path, codec: str, pictures: list[av.VideoFrame], **tags: Any) -> Path:
    """A movie of ready-made pictures, by any encoder, outside vfxgen."""
    with av.open(str(path), "w", format=tags.pop("container", None), options=tags.pop("muxer", {})) as container:
        for name, value in tags.pop("metadata", {}).items():
            container.metadata[name] = value
        stream = container.add_stream(codec, rate=tags.pop("fps", 24), options=tags.pop("options", {}))
        stream.width, stream.height = pictures[0].width, pictures[0].height
        stream.pix_fmt = pictures[0].format.name
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for picture in pictures:
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def codes(pixel_format: str, values: tuple[int, ...], size: tuple[int, int] = (16, 16)) -> av.VideoFrame:
    """A picture of one colour given by its code values, plane by plane."""
    picture = av.VideoFrame(size[1], size[0], pixel_format)
    dtype = "u1" if component_video.depth(pixel_format) == 8 else "<u2"
    for plane, value in zip(picture.planes, values, strict=True):
        plane.update(np.full(plane.buffer_size // np.dtype(dtype).itemsize, value, dtype))
    return picture


def bits(frame: Frame) -> bytes:
    return frame.pixels(*frame.channels).tobytes()


@pytest.fixture(scope="module")
def long_movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 with B-frames and a keyframe every 7 pictures."""
    path = tmp_path_factory.mktemp("movie") / "long.mp4"
    pictures = [component_video.encode(ramp(i), "yuv420p") for i in range(45)]
    return encode(path, "libx264", pictures, gop_size=7, max_b_frames=3)


def test_a_path_names_a_movie_by_its_extension() -> None:
    assert is_movie("a.mov") and is_movie("x/y.MP4") and is_movie("a.b.mxf")
    assert not is_movie("a.exr") and not is_movie("mov") and not is_movie("folder.mov/a.####.exr")


def test_pictures_have_the_same_bits_in_order_backwards_and_shuffled(long_movie: Path) -> None:
    movie = Movie(str(long_movie))
    in_order = [bits(movie.read(i, i)) for i in range(movie.length)]
    assert len(in_order) == 45 and len(set(in_order)) == 45
    order = list(range(45))
    random.Random(7).shuffle(order)
    for index in [*reversed(range(45)), *order, 44, 44, 0, 0]:
        assert bits(movie.read(index, 1)) == in_order[index], index
    assert [bits(Movie(str(long_movie)).read(i, 1)) for i in (44, 20)] == [in_order[44], in_order[20]]


# One thread, and pictures larger than its largest block: x265 spoils the heap now and then with 48x32.
X265 = "log-level=none:keyint=8:bframes=3:open-gop=1:pools=none:frame-threads=1"


@pytest.mark.parametrize(
    ("name", "codec", "tags"),
    [
        ("bframes.mkv", "libx264", {"max_b_frames": 2}),
        ("open_gop.mp4", "libx264", {"options": {"x264-params": "open-gop=1:keyint=8:bframes=3"}}),
        ("hevc.mp4", "libx265", {"options": {"x265-params": X265}}),
        ("mpeg2.mxf", "mpeg2video", {"max_b_frames": 2, "qmax": 2, "qmin": 1}),
        ("mpeg4.avi", "mpeg4", {"max_b_frames": 2, "qmax": 2}),
        ("vp9.webm", "libvpx-vp9", {}),
        ("intra.mov", "prores_ks", {}),
    ],
)
def test_every_container_gives_its_pictures_in_any_order(
    tmp_path: Path, name: str, codec: str, tags: dict[str, Any]
) -> None:
    pixel_format = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    grey = 512 if codec == "prores_ks" else 128
    pictures = [codes(pixel_format, (4 * i + 40, grey, grey), (128, 192)) for i in range(30)]
    movie = Movie(str(encode(tmp_path / name, codec, pictures, **tags)))
    assert movie.length == 30 and movie.fps == 24 and movie.size == (192, 128)
    levels = [float(movie.read(i, i).rgb.mean()) for i in range(30)]
    black, scale = (64, 876) if codec == "prores_ks" else (16, 219)
    assert [round((level * scale + black - 40) / 4) for level in levels] == list(range(30))
    order = list(range(30))
    random.Random(3).shuffle(order)
    assert [float(movie.read(i, i).rgb.mean()) for i in order] == [levels[i] for i in order]


def test_threads_that_read_at_once_get_the_pictures_they_asked_for(long_movie: Path) -> None:
    alone, shared = Movie(str(long_movie)), Movie(str(long_movie))
    expected = [bits(alone.read(i, i)) for i in range(45)]
    wrong: list[int] = []

    def ask(indices: list[int]) -> None:
        wrong.extend(i for i in indices if bits(shared.read(i, i)) != expected[i])

    orders = [random.Random(seed).sample(range(45), 15) for seed in range(4)]
    threads = [threading.Thread(target=ask, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("codec", "pixel_format", "depth"),
    [("ffv1", "yuv444p", 8), ("ffv1", "yuv444p10le", 10), ("ffv1", "yuv420p12le", 12)],
)
@pytest.mark.parametrize("full", [False, True])
def test_black_white_and_beyond_are_where_the_standard_has_them(
    tmp_path: Path, codec: str, pixel_format: str, depth: int, full: bool
) -> None:
    most, middle = (1 << depth) - 1, 1 << depth - 1
    black, white = (0, most) if full else (16 << depth - 8, 235 << depth - 8)
    wanted = [0, black, white, most]
    pictures = [codes(pixel_format, (value, middle, middle)) for value in wanted]
    path = encode(tmp_path / "levels.mkv", codec, pictures, color_range=2 if full else 1, colorspace=1)
    movie = Movie(str(path))
    for index, value in enumerate(wanted):
        frame = movie.read(index, index)
        assert np.allclose(frame.rgb, (value - black) / (white - black), atol=1e-6)
        assert set(frame.types.values()) == {f"uint{depth}"}


@pytest.mark.parametrize("matrix", [1, 5, 6, 7, 9])
def test_colour_bars_come_back_by_the_matrix_the_stream_names(tmp_path: Path, matrix: int) -> None:
    red_weight, blue_weight = component_video.LUMA_WEIGHTS[matrix]
    red, green, blue = 0.75, 0.1, 0.4
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    signal = [
        64 + 876 * luma,
        512 + 896 * (blue - luma) / (2 * (1 - blue_weight)),
        512 + 896 * (red - luma) / (2 * (1 - red_weight)),
    ]
    picture = codes("yuv444p10le", tuple(round(value) for value in signal))
    path = encode(tmp_path / "bar.mkv", "ffv1", [picture], colorspace=matrix, color_range=1)
    assert np.allclose(Movie(str(path)).read(0, 1).rgb, [red, green, blue], atol=2e-3)


@pytest.mark.parametrize(("size", "named"), [((576, 720), "BT.601"), ((720, 960), "BT.709"), ((540, 1280), "BT.709")])
def test_a_stream_that_names_no_matrix_gets_one_by_its_size_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, size: tuple[int, int], named: str
) -> None:
    path = encode(tmp_path / "plain.mkv", "ffv1", [codes("yuv420p", (100, 90, 200), size)])
    frame = Movie(str(path)).read(0, 1)
    assert named in caplog.text
    red_weight = {"BT.601": 0.299, "BT.709": 0.2126}[named]
    assert np.allclose(frame.planes["R"], (100 - 16) / 219 + (200 - 128) * 2 * (1 - red_weight) / 224, atol=1e-6)


def test_unpacking_moves_bits_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    for packed, planar in [
        ("nv12", "yuv420p"), ("p010le", "yuv420p10le"), ("uyvy422", "yuv422p"), ("rgb24", "gbrp"), ("bgra", "gbrap"),
        ("rgb48be", "gbrp16le"), ("ayuv64le", "yuva444p16le"), ("yuv422p10be", "yuv422p10le"), ("gray16be", "gray16le"),
    ]:  # fmt: skip
        depth = component_video.depth(planar)
        picture = codes(planar, (0,) * len(av.VideoFrame(2, 2, planar).planes), (18, 34))
        for plane in picture.planes:
            dtype = np.dtype("u1" if depth == 8 else "<u2")
            plane.update(rng.integers(0, 1 << depth, plane.buffer_size // dtype.itemsize).astype(dtype))
        picture.color_range = 1
        there = picture.reformat(format=packed, threads=1)
        there.color_range = 1
        straight, straight_names = component_video.decode(picture)
        through, names = component_video.decode(there)
        assert names == straight_names and np.array_equal(straight, through), packed


def test_rgb_and_grey_codecs_keep_their_codes(tmp_path: Path) -> None:
    colour = codes("gbrp10le", (1023, 17, 512))
    frame = Movie(str(encode(tmp_path / "rgb.mkv", "ffv1", [colour]))).read(0, 1)
    assert frame.channels == ("R", "G", "B") and set(frame.types.values()) == {"uint10"}
    assert np.array_equal(frame.rgb[0, 0] * 1023, [512, 1023, 17])
    grey = Movie(str(encode(tmp_path / "grey.mkv", "ffv1", [codes("gray16le", (12345,))]))).read(0, 1)
    assert grey.channels == ("Y",) and grey.types["Y"] == "uint16"
    assert np.array_equal(grey.planes["Y"][0, 0], np.float32(12345) / np.float32(65535))


def test_chroma_lies_left_and_does_not_shift_the_picture() -> None:
    """A hard vertical edge in chroma: 4:2:0 gives a ramp of one pixel, centred on chroma's own columns."""
    picture = codes("yuv420p", (128, 128, 128), (8, 16))
    plane = picture.planes[2]
    rows = np.full((plane.height, plane.line_size), 128, np.uint8)
    rows[:, 4 : plane.width] = 208
    plane.update(rows)
    red = component_video.decode(picture)[0][3, :, 0]
    step = (red - red[0]) / (red[-1] - red[0])
    assert np.allclose(step, [0] * 7 + [0.5] + [1] * 8, atol=1e-6)


def test_prores_4444_alpha_is_straight_and_exact_to_its_bits(tmp_path: Path) -> None:
    frames = [ramp(i, 4) for i in range(3)]
    movie = Movie(str(write(tmp_path / "alpha.mov", frames, "prores4444")))
    frame = movie.read(1, 1002)
    assert frame.number == 1002 and frame.channels == ("R", "G", "B", "A")
    assert frame.attributes["oiio:UnassociatedAlpha"].value == 1
    assert np.abs(frame.planes["A"] - frames[1][..., 3]).max() < 1 / 1023
    assert np.abs(frame.rgb - frames[1][..., :3]).max() < 0.01
    opaque = Movie(str(write(tmp_path / "opaque.mov", [ramp(0)], "prores4444"))).read(0, 1)
    assert opaque.channels == ("R", "G", "B") and "oiio:UnassociatedAlpha" not in opaque.attributes


@pytest.mark.parametrize(("codec", "container"), WAYS)
def test_what_is_written_comes_back_near_and_with_the_same_bytes_each_time(
    tmp_path: Path, codec: str, container: str
) -> None:
    frames = [ramp(i) for i in range(12)]
    files = [write(tmp_path / f".x{i}.tmp", frames, codec, container, comment="key ☃ {}") for i in range(2)]
    assert len({hashlib.sha256(file.read_bytes()).digest() for file in files}) == 1
    movie = Movie(str(files[0]))
    assert (movie.length, movie.fps, movie.size) == (12, FILM, (64, 48))
    assert comment_of(str(files[0])) == "key ☃ {}"
    for index, pixels in enumerate(frames):
        frame = movie.read(index, index)
        assert np.abs(frame.rgb - pixels).mean() < 0.02
        assert frame.attributes["FramesPerSecond"] == ((24000, 1001), "rational")
        assert frame.attributes["movie:transfer"].value == "bt709"


@pytest.mark.parametrize(
    ("primaries", "transfer", "space"),
    [
        (1, 1, "Rec.1886 Rec.709 - Display"),
        (1, 13, "sRGB - Display"),
        (12, 13, "Display P3 - Display"),
        (9, 16, "Rec.2100-PQ - Display"),
        (9, 18, "Rec.2100-HLG - Display"),
        (1, 8, "Linear Rec.709 (sRGB)"),
        (2, 1, None),
        (1, 2, None),
    ],
)
@pytest.mark.parametrize("container", ["mov", "mkv"])
def test_the_colour_space_is_what_the_stream_says(
    tmp_path: Path, primaries: int, transfer: int, space: str | None, container: str
) -> None:
    pictures = [codes("yuv444p10le", (500, 512, 512)) for _ in range(2)]
    for picture in pictures:
        picture.color_primaries, picture.color_trc = primaries, transfer
    tags = {"colorspace": 1, "color_primaries": primaries, "color_trc": transfer}
    movie = encode(tmp_path / f"a.{container}", "libx264", pictures, **tags)
    frame = Movie(str(movie)).read(1, 1)
    assert color.declared_space(frame.attributes) == space


def test_h264_says_it_is_bt709_limited_range_and_can_start_before_it_is_loaded(tmp_path: Path) -> None:
    path = write(tmp_path / "tagged.mp4", [ramp(0)], "h264", "mp4")
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_range, context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"
        assert "creation_time" not in container.metadata
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(("codec", "kept"), [("h264", (32, 50)), ("prores", (31, 50)), ("prores4444", (31, 49))])
def test_odd_sizes_are_filled_by_repeating_the_edge_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, codec: str, kept: tuple[int, int]
) -> None:
    movie = Movie(str(write(tmp_path / "odd.mov", [ramp(0, 3, (31, 49))], codec)))
    assert movie.size == kept[::-1]
    assert ("even sizes" in caplog.text) == (kept != (31, 49))


def test_values_beyond_white_reach_as_far_as_the_codes_do(tmp_path: Path) -> None:
    beyond = np.full((32, 32, 3), 1.05, np.float32)
    beyond[:, 16:] = -0.04
    rgb = Movie(str(write(tmp_path / "beyond.mov", [beyond], "prores"))).read(0, 1).rgb
    assert np.allclose(rgb[:, 2], 1.05, atol=0.01) and np.allclose(rgb[:, -3], -0.04, atol=0.01)


def test_nan_and_infinity_become_black_and_the_brightest_white(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wild = np.full((32, 32, 3), np.nan, np.float32)
    wild[:, 16:] = np.inf
    rgb = Movie(str(write(tmp_path / "wild.mov", [wild], "prores"))).read(0, 1).rgb
    assert np.allclose(rgb[:, 1], 0, atol=0.01) and (rgb[:, -2] > 1.05).all()
    assert "NaN" in caplog.text


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"), [("tc.mov", "prores_ks", "yuv422p10le"), ("tc.mkv", "mpeg4", "yuv420p")]
)
def test_time_code_and_reel_of_the_container_advance_with_the_picture(
    tmp_path: Path, name: str, codec: str, pixel_format: str
) -> None:
    path = encode(
        tmp_path / name,
        codec,
        [codes(pixel_format, (100, 128, 128)) for _ in range(3)],
        fps=Fraction(24),
        metadata={"timecode": "01:02:03:22", "reel_name": "A017"},
    )
    found = [Movie(str(path)).read(i, i).attributes["smpte:TimeCode"] for i in range(3)]
    assert [hex(a.value[0]) for a in found] == ["0x1020322", "0x1020323", "0x1020400"]
    assert found[0].type == "timecode"


@pytest.mark.parametrize(
    ("text", "fps", "index", "expected"),
    [
        ("00:59:59:23", 24, 1, 0x01000000),
        ("23:59:59:24", 25, 1, 0x00000000),
        ("01:00:59;29", Fraction(30000, 1001), 1, 0x01010002 | 1 << 6),
        ("01:09:59;29", Fraction(30000, 1001), 1, 0x01100000 | 1 << 6),
        ("10:00:00:05", 50, 0, 0x10000002 | 1 << 15),
        ("00:00:00:59", 60, 1, 0x00000100),
        ("01:02:03;58", Fraction(60000, 1001), 0, 0x01020329 | 1 << 6),
        ("23:59:58:23", 24, 0, 0x23595823),
    ],
)
def test_time_code_counts_as_smpte_does(text: str, fps: Fraction, index: int, expected: int) -> None:
    assert timecode.packed(text, Fraction(fps), index) == (expected, 0)
    if not index:
        assert timecode.text(expected, Fraction(fps)) == text


@pytest.mark.parametrize("text", ["", "later", "25:00:00:00", "00:00:00:24", "1:2:3:4"])
def test_what_is_no_time_code_is_left_out(text: str) -> None:
    assert timecode.packed(text, Fraction(24), 0) is None


@given(st.integers(0, 2_000_000))
def test_drop_frame_time_code_keeps_with_the_clock(count: int) -> None:
    """At 29.97 frames a second drop-frame time code is never more than a few frames off the wall clock."""
    rate = Fraction(30000, 1001)
    packed = timecode.packed("00:00:00;00", rate, count)
    assert packed is not None
    digits = [packed[0] >> shift & mask for shift, mask in ((24, 0x3F), (16, 0x7F), (8, 0x7F), (0, 0x3F))]
    hours, minutes, seconds, frames = ((digit >> 4) * 10 + (digit & 15) for digit in digits)
    shown = 3600 * hours + 60 * minutes + seconds + frames / 30
    assert abs(shown - float(count / rate) % 86400) < 0.2 or count > 2_589_000
    assert frames >= 2 or seconds or minutes % 10 == 0


def test_a_movie_that_is_turned_says_so_and_is_given_as_stored(tmp_path: Path) -> None:
    path = write(tmp_path / "turned.mov", [ramp(0)])
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    quarter = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter)
    path.write_bytes(data)
    frame = Movie(str(path)).read(0, 1)
    assert frame.attributes["Orientation"].value in (6, 8) and frame.size == (48, 64)


def test_the_clips_of_the_field_open_and_read(shared_data: Path) -> None:
    folder = shared_data / "video"
    for name, length, first_type in [
        ("natron_prores/TestReadMOV_ap4h.mov", 2, "uint12"),
        ("natron_prores/TestReadMOV_apch.mov", 2, "uint10"),
        ("intel/asl_gestures/yes.mkv", 65, "uint8"),
        ("sam2/bedroom.mp4", 200, "uint8"),
    ]:
        movie = Movie(str(folder / name))
        assert movie.length == length, name
        last, first = movie.read(length - 1, 1), movie.read(0, 1)
        assert first.types["R"] == first_type and np.isfinite(first.rgb).all() and np.isfinite(last.rgb).all()
        assert bits(Movie(str(folder / name)).read(0, 1)) == bits(first)


def refused(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        movie = Movie(str(path))
        for index in range(movie.length):
            movie.read(index, 1001 + index)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


def test_what_is_no_movie_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty.mov").touch()
    (tmp_path / "text.mov").write_text("not a movie\n" * 100)
    (tmp_path / "folder.mov").mkdir()
    assert "No such file" in refused(tmp_path / "missing.mov")
    assert "empty (0 bytes)" in refused(tmp_path / "empty.mov")
    assert "no movie that can be read" in refused(tmp_path / "text.mov")
    assert "is a folder" in refused(tmp_path / "folder.mov")
    assert "cannot be read" in refused(tmp_path / "text.mov" / "below.mov")


def test_sound_alone_is_no_movie(tmp_path: Path) -> None:
    path = tmp_path / "sound.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), format="s16", layout="mono")
        samples.sample_rate = 48000
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))
    assert "no video stream" in refused(path)


@pytest.mark.parametrize("codec", ["h264", "prores"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_a_movie_that_was_cut_off_is_refused(tmp_path: Path, codec: str, share: float) -> None:
    data = write(tmp_path / "whole.mov", [ramp(i) for i in range(20)], codec).read_bytes()
    path = tmp_path / "cut.mov"
    path.write_bytes(data[: int(len(data) * share)])
    refused(path)


def test_a_matroska_movie_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    pictures = [component_video.encode(ramp(i), "yuv420p") for i in range(40)]
    data = encode(tmp_path / "whole.mkv", "libx264", pictures).read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: len(data) // 2])
    assert "cut off" in refused(path)


def test_a_picture_that_is_not_there_is_named_with_its_frame(long_movie: Path) -> None:
    movie = Movie(str(long_movie))
    for index in (-1, 45, 1000):
        with pytest.raises(MediaError, match=rf"frame 77: no picture {index}; there are 45"):
            movie.read(index, 77)
    assert bits(movie.read(3, 1)) == bits(Movie(str(long_movie)).read(3, 1))


def test_a_damaged_picture_fails_and_its_neighbours_do_not(tmp_path: Path) -> None:
    path = write(tmp_path / "damaged.mov", [ramp(i) for i in range(4)])
    whole = [bits(Movie(str(path)).read(i, i)) for i in range(4)]
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
        start, size = packets[2].pos, packets[2].size
    data = bytearray(path.read_bytes())
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    movie = Movie(str(path))
    with pytest.raises(MediaError, match=r"frame 1003 \(picture 2\) cannot be decoded"):
        movie.read(2, 1003)
    assert [bits(movie.read(i, i)) for i in (3, 0, 1)] == [whole[3], whole[0], whole[1]]


def test_pictures_with_wrong_time_stamps_are_refused_rather_than_mixed_up(tmp_path: Path) -> None:
    """H.264 with B-frames in AVI, which has no presentation times."""
    pictures = [codes("yuv420p", (40 + 4 * i, 128, 128), (48, 64)) for i in range(40)]
    path = encode(tmp_path / "reordered.avi", "libx264", pictures, max_b_frames=2, gop_size=12)
    assert "rewrap" in refused(path)


def test_requests_that_cannot_be_written_are_refused_in_words(tmp_path: Path) -> None:
    path = str(tmp_path / "x.tmp")
    with pytest.raises(MediaError, match="cannot write prores into mp4; what can be written: mp4: h264"):
        MovieWriter(path, format="mp4", codec="prores", fps=FILM)
    with (
        pytest.raises(MediaError, match="holds no alpha"),
        MovieWriter(path, format="mov", codec="h264", fps=FILM) as movie,
    ):
        movie.write(ramp(0, 4))
    with pytest.raises(MediaError, match=r"picture 1 has shape \(48, 32, 3\)"):
        write(Path(path), [ramp(0), ramp(1, 3, (48, 32))])
    with pytest.raises(MediaError, match="no frames"):
        write(Path(path), [])
    with pytest.raises(MediaError, match="cannot be written"):
        write(tmp_path / "not_there" / "x.mov", [ramp(0)])


def test_a_missing_encoder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(MediaError, match=f"built without the encoder {encoder_of('h264')}"):
        MovieWriter(str(tmp_path / "x.tmp"), format="mp4", codec="h264", fps=FILM)


def test_the_comment_of_what_is_no_movie_is_empty(tmp_path: Path) -> None:
    (tmp_path / "text.mov").write_text("text")
    assert comment_of(str(tmp_path / "text.mov")) == ""
    assert comment_of(str(write(tmp_path / "plain.mov", [ramp(0)]))) == ""
