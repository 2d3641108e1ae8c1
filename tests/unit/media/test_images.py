"""Pictures as they are decoded, and what is no picture."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from saved_pictures import save

from platereader import MediaFileError
from platereader.media._images import decode_image, image_size, read_image


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

    def test_the_bytes_decide_not_the_name(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.png").rename(tmp_path / "a.txt")
        assert read_image(path).shape == (20, 40, 3)

    def test_exif_orientation_is_honoured(self, tmp_path: Path) -> None:
        turned = read_image(save(tmp_path / "a.jpg", orientation=6))
        assert turned.shape == (40, 20, 3)
        assert turned[5, 10, 2] > 200  # what was left is now up
        assert turned[35, 10, 2] < 60

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

    def test_missing_file_and_folder(self, tmp_path: Path) -> None:
        with pytest.raises(MediaFileError, match="cannot be opened"):
            read_image(tmp_path / "none.jpg")
        with pytest.raises(MediaFileError, match="cannot be opened"):
            read_image(tmp_path)

    @pytest.mark.parametrize(("content", "what"), [(b"", "is empty"), (b"GIMP and more", "not a picture of a known")])
    def test_not_a_picture(self, tmp_path: Path, content: bytes, what: str) -> None:
        path = tmp_path / "a.jpg"
        path.write_bytes(content)
        with pytest.raises(MediaFileError, match=what):
            read_image(path)

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
        with pytest.raises(MediaFileError, match=r"30000x30000 px, above 200 megapixels"):
            read_image(path)

    def test_damaged_bytes_raise_nothing_else(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(1)
        path = tmp_path / "a.bin"
        for name in ("a.jpg", "a.png", "a.gif", "a.tif", "a.webp"):
            whole = np.frombuffer(save(tmp_path / name).read_bytes(), np.uint8)
            for _ in range(20):
                damaged = whole.copy()
                damaged[rng.integers(len(whole), size=6)] = rng.integers(0, 256, 6)
                path.write_bytes(damaged.tobytes())
                try:
                    assert read_image(path).ndim == 3
                except MediaFileError:
                    continue


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
        monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the whole file was read"))
        assert image_size(path) == (40, 20)

    def test_errors(self, tmp_path: Path) -> None:
        with pytest.raises(MediaFileError, match="cannot be opened"):
            image_size(tmp_path / "none.jpg")
        empty = tmp_path / "a.jpg"
        empty.touch()
        with pytest.raises(MediaFileError, match="is empty"):
            image_size(empty)
