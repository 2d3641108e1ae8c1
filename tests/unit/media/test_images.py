"""Pictures as they are decoded, and what is no picture."""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from saved_pictures import save

from platereader import MediaFileError
from platereader.media import _images
from platereader.media._images import decode_frames, decode_image, image_size, read_image


def png_header(width: int, height: int) -> bytes:
    """The start of a PNG of that size, without its pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + start + struct.pack(">I", 100) + b"IDAT"


class TestReadImage:
    @pytest.mark.parametrize("name", ["a.jpg", "b.png", "c.bmp", "d.webp", "e.tif", "f.gif", "машина у дома.JPG"])
    def test_decodes_to_bgr(self, tmp_path: Path, name: str) -> None:
        picture = read_image(save(tmp_path / name))
        assert picture.shape == (20, 40, 3)
        assert picture.dtype == np.uint8
        assert picture.flags.c_contiguous
        assert picture[10, 5, 2] > 200
        assert picture[10, 5, 0] < 60

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("a.avif", {"quality": 95}),
            ("a.jp2", {}),
            ("a.j2k", {}),
            ("a.jfif", {"format": "JPEG"}),
            ("a.mpo", {"format": "MPO", "save_all": True, "append_images": [Image.new("RGB", (8, 8))]}),
        ],
    )
    def test_newer_kinds(self, tmp_path: Path, name: str, options: dict[str, Any]) -> None:
        Image.new("RGB", (40, 20), (200, 100, 10)).save(tmp_path / name, **options)
        assert np.abs(read_image(tmp_path / name).mean((0, 1)) - (10, 100, 200)).max() < 6
        assert image_size(tmp_path / name) == (40, 20)

    def test_heic(self, tmp_path: Path) -> None:
        heif = pytest.importorskip("pillow_heif", reason="the extra heic is not installed")
        heif.from_pillow(Image.new("RGB", (64, 32), (200, 100, 10))).save(tmp_path / "a.heic")
        assert np.abs(read_image(tmp_path / "a.heic").mean((0, 1)) - (10, 100, 200)).max() < 6
        assert image_size(tmp_path / "a.heic") == (64, 32)
        assert "HEIF" not in Image.OPEN  # Pillow itself stays as it was

    @pytest.mark.parametrize("brands", [b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1avif"])
    def test_heic_without_its_package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, brands: bytes) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftyp" + brands)
        with pytest.raises(MediaFileError) as caught:
            read_image(tmp_path / "a.heic")
        assert ("platereader-anpr[heic]" in str(caught.value)) == (b"avif" not in brands)

    def test_the_bytes_decide_not_the_name(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.png").rename(tmp_path / "a.txt")
        assert read_image(path).shape == (20, 40, 3)

    @pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "I;16"])
    def test_other_pixel_kinds_become_bgr(self, tmp_path: Path, mode: str) -> None:
        path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
        grey = Image.fromarray(np.full((8, 8), 200, np.uint8))
        image = Image.fromarray(np.full((8, 8), 200 * 257, np.uint16)) if mode == "I;16" else grey.convert(mode)
        image.save(path)
        expected = 255 if mode == "1" else 200
        assert abs(int(read_image(path).mean()) - expected) <= 60 * (mode == "1") + 3

    def test_transparent_palette_raises_no_warning(self, tmp_path: Path) -> None:
        image = Image.new("P", (4, 4))
        image.save(tmp_path / "a.png", transparency=bytes([0, 128]))
        assert read_image(tmp_path / "a.png").shape == (4, 4, 3)

    @pytest.mark.parametrize(("content", "what"), [(b"", "is empty"), (b"GIMP and more", "not a picture of a known")])
    @pytest.mark.parametrize("read", [read_image, image_size])
    def test_not_a_picture(self, tmp_path: Path, read: Callable[[Path], object], content: bytes, what: str) -> None:
        path = tmp_path / "a.jpg"
        path.write_bytes(content)
        with pytest.raises(MediaFileError, match=what):
            read(path)

    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.bmp"])
    def test_cut_off_file(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(MediaFileError, match="damaged"):
            read_image(path)

    def test_picture_in_memory(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.jpg", orientation=6)
        assert np.array_equal(decode_image(path.read_bytes(), path="bucket/a.jpg"), read_image(path))
        with pytest.raises(MediaFileError, match=r"'bucket/a.jpg' is damaged or cut off"):
            decode_image(path.read_bytes()[:-100], path="bucket/a.jpg")

    def test_bomb_is_refused_by_its_header(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.png"
        path.write_bytes(png_header(30_000, 30_000))
        with pytest.raises(MediaFileError, match=r"30000x30000 px and would take 6300 MB to read, above 1500 MB"):
            read_image(path)

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
    def test_every_orientation_is_that_of_pillow(self, tmp_path: Path, name: str, orientation: int) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(noise).save(tmp_path / name, exif=exif)
        with Image.open(tmp_path / name) as opened:
            expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
        picture = read_image(tmp_path / name)
        assert np.array_equal(picture[:, :, ::-1], expected)
        assert picture.flags.c_contiguous

    @pytest.mark.parametrize("orientation", [0, 9])
    def test_an_orientation_that_is_none_turns_nothing(self, tmp_path: Path, orientation: int) -> None:
        path = save(tmp_path / "a.jpg", orientation=orientation)
        assert image_size(path) == (40, 20) == read_image(path).shape[1::-1]

    @pytest.mark.parametrize("values", [[0, 200, 255], [0, 256, 65535], [65535, 0, 1]])
    def test_brightness_does_not_depend_on_the_strip(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[int]
    ) -> None:
        grey = np.repeat(np.array(values, np.uint16)[:, None], 4, axis=1)
        Image.fromarray(grey).save(tmp_path / "a.png")
        whole = read_image(tmp_path / "a.png")
        monkeypatch.setattr(_images, "_STRIP_PX", 1)
        assert np.array_equal(read_image(tmp_path / "a.png"), whole)
        assert whole[:, 0, 0].tolist() == [value if max(values) <= 255 else value // 257 for value in values]

    def test_numbers_that_are_none_become_black(self, tmp_path: Path) -> None:
        values = np.array([[np.nan, 1.0, 100.0]], np.float32)
        Image.fromarray(values).save(tmp_path / "a.tif")
        assert read_image(tmp_path / "a.tif")[0, :, 0].tolist() == [0, 1, 100]

    @pytest.mark.parametrize(
        ("values", "grey"), [([0.0, 0.5, 1.0], [0, 128, 255]), ([0.0, 0.2, np.nan], [0, 51, 0]), ([0, 1, 2], [0, 1, 2])]
    )
    def test_floats_up_to_one_are_shares_of_white(self, tmp_path: Path, values: list[float], grey: list[int]) -> None:
        Image.fromarray(np.array([values], np.float32)).save(tmp_path / "a.tif")
        assert read_image(tmp_path / "a.tif")[0, :, 0].tolist() == grey


def saved(folder: Path, mode: str, name: str, **options: Any) -> Path:
    """A picture of 1500x2000 px."""
    noise = np.random.default_rng(0).integers(0, 256, (20, 15), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((1500, 2000), Image.Resampling.NEAREST)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture, np.uint16) * 257)
    elif mode != "L":
        picture = (picture.convert("RGB") if mode == "CMYK" else picture).convert(mode)
    picture.save(folder / name, **options)
    return folder / name


COSTS: list[tuple[str, str, dict[str, Any], int]] = [
    ("RGB", "a.png", {}, 7),
    ("L", "a.png", {}, 4),
    ("1", "a.png", {}, 4),
    ("P", "a.png", {}, 4),
    ("RGBA", "a.png", {}, 7),
    ("I;16", "a.png", {}, 5),
    ("RGB", "a.jpg", {}, 7),
    ("RGB", "a.jpg", {"progressive": True}, 10),
    ("CMYK", "a.jpg", {}, 7),
    ("1", "a.tif", {"compression": "group4"}, 4),
    ("RGB", "a.tif", {}, 8),
    ("F", "a.tif", {}, 8),
    ("RGB", "a.webp", {"method": 0}, 16),
    ("RGB", "a.bmp", {}, 7),
    ("L", "a.gif", {}, 4),
]


class TestMemory:
    @pytest.mark.parametrize(("mode", "name", "options", "pixel_bytes"), COSTS)
    def test_limit_is_what_it_says(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        mode: str,
        name: str,
        options: dict[str, Any],
        pixel_bytes: int,
    ) -> None:
        path = saved(tmp_path, mode, name, **options)
        needed = path.stat().st_size + 1500 * 2000 * pixel_bytes
        if sys.platform == "linux":
            assert peak_bytes(path) < needed + 20_000_000
        monkeypatch.setattr(_images, "MAX_IMAGE_BYTES", needed - 1)
        for read in (read_image, image_size):
            with pytest.raises(MediaFileError, match="1500x2000 px and would take"):
                read(path)
        monkeypatch.setattr(_images, "MAX_IMAGE_BYTES", needed)
        assert image_size(path) == (1500, 2000) == read_image(path).shape[1::-1]

    @pytest.mark.parametrize(("name", "pixel_bytes"), [("a.jp2", 19), ("a.avif", 14)])
    def test_newer_kinds_cost_more(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pixel_bytes: int
    ) -> None:
        Image.new("RGB", (64, 32)).save(tmp_path / name)
        needed = (tmp_path / name).stat().st_size + 64 * 32 * pixel_bytes
        monkeypatch.setattr(_images, "MAX_IMAGE_BYTES", needed - 1)
        with pytest.raises(MediaFileError, match="64x32 px and would take"):
            image_size(tmp_path / name)
        monkeypatch.setattr(_images, "MAX_IMAGE_BYTES", needed)
        assert image_size(tmp_path / name) == (64, 32)

    def test_file_that_is_longer_than_the_limit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = save(tmp_path / "a.png")
        monkeypatch.setattr(_images, "MAX_IMAGE_BYTES", path.stat().st_size - 1)
        with pytest.raises(MediaFileError, match="bytes, which is the limit"):
            read_image(path)

    def test_decoder_without_memory_is_an_error_of_ours(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(picture: object) -> None:
            raise MemoryError

        monkeypatch.setattr(_images, "_to_bgr", full)
        with pytest.raises(MediaFileError, match="damaged or cut off"):
            read_image(save(tmp_path / "a.png"))


def peak_bytes(path: Path) -> int:
    """How much more memory this process had at its peak while it read a picture than before."""

    def line(name: str) -> int:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition(f"{name}:")[2].split()[0]) * 1024

    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = line("VmRSS")
    read_image(path)
    return line("VmHWM") - before


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices")
@pytest.mark.parametrize("read", [read_image, image_size])
def test_pipe_device_and_loop_end_at_once(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    names = ("pipe.jpg", "loop.jpg", "zero\0.jpg", "absent.jpg", ".")
    for path in (Path("/dev/zero"), *(tmp_path / name for name in names)):
        with pytest.raises(MediaFileError, match="cannot read the picture"):
            read(path)


class TestImageSize:
    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
    def test_is_that_of_the_picture_as_it_is_read(self, tmp_path: Path, name: str) -> None:
        path = save(tmp_path / name, orientation=6)
        assert image_size(path) == (20, 40) == read_image(path).shape[1::-1]

    def test_reads_the_header_only(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(png_header(4000, 3000))
        assert image_size(path) == (4000, 3000)

    def test_does_not_load_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = save(tmp_path / "a.jpg")
        monkeypatch.setattr(_images, "read_bytes", lambda *_, **__: pytest.fail("the whole file was read"))
        assert image_size(path) == (40, 20)


@pytest.mark.parametrize(
    ("name", "frames", "moves"),
    [("a.gif", 2, True), ("a.gif", 1, False), ("a.png", 2, True), ("a.webp", 2, True), ("a.tif", 2, False)],
)
def test_what_moves(tmp_path: Path, name: str, frames: int, moves: bool) -> None:
    first, *rest = (Image.new("RGB", (64, 32), (70 * shade, 0, 0)) for shade in range(1, frames + 1))
    first.save(tmp_path / name, save_all=True, append_images=rest)
    assert _images.is_animated(tmp_path / name) is moves
    (tmp_path / "b.png").write_bytes(b"nothing")
    assert not _images.is_animated(tmp_path / "b.png")
    assert not _images.is_animated(tmp_path / "absent.png")


class TestDecodeFrames:
    def test_a_picture_that_does_not_move_has_no_index(self, tmp_path: Path) -> None:
        ((index, frame),) = decode_frames(save(tmp_path / "a.jpg").read_bytes(), path="a.jpg")
        assert index is None
        assert frame.shape == (20, 40, 3)

    @pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.avif"])
    def test_frames_are_whole_and_in_order(self, tmp_path: Path, name: str) -> None:
        shades = (30, 120, 220)
        pictures = [Image.new("RGB", (64, 32), (shade, shade, shade)) for shade in shades]
        pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=40)
        frames = list(decode_frames((tmp_path / name).read_bytes(), path=name))
        assert [index for index, _ in frames] == [0, 1, 2]
        for (_, frame), shade in zip(frames, shades, strict=True):
            assert np.abs(frame.astype(int) - shade).max() < 8

    def test_what_comes_before_the_damage_is_given(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (3, 60, 80, 3), dtype=np.uint8)
        first, *rest = map(Image.fromarray, noise)
        first.save(tmp_path / "a.png", save_all=True, append_images=rest)
        data = (tmp_path / "a.png").read_bytes()
        frames = decode_frames(data[: len(data) // 2], path="a.png")
        assert next(frames)[0] == 0
        with pytest.raises(MediaFileError, match="frame 1, is damaged"):
            list(frames)
