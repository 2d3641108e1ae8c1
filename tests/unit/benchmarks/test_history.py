"""The figures of a release are those of its README, and stand beside those of others."""

from pathlib import Path

import pytest

from benchmarks import history

_README = """# platereader

| what | value | interval | n | split |
|---|---|---|---|---|
| plate found, IoU ≥ 0.5, all | {found} % | 90.0–99.0 | 12 | dev |
| hard video ({single} % of single frames right), text right | 70.0 % | 60.0–80.0 | 97 | video |

| another | table |
"""


def test_releases_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, readme = tmp_path / "history.csv", tmp_path / "README.md"
    kept.write_text(history.as_csv([]), encoding="utf-8")
    monkeypatch.setattr(history, "HISTORY", kept)
    monkeypatch.setattr(history, "README", readme)
    for release, found, single in (("1.0", "95.5", "32"), ("1.1", "97.5", "34")):
        readme.write_text(_README.format(found=found, single=single), encoding="utf-8")
        history.main(["--release", release])
    header, first, second = (line.split() for line in capsys.readouterr().out.splitlines()[-3:])
    assert header == ["what", "1.0", "1.1"]
    assert first[-10:] == ["95.5", "%", "(90.0–99.0),", "n", "12", "97.5", "%", "(90.0–99.0),", "n", "12"]
    assert second[:5] == ["hard", "video", "(34", "%", "of"]  # one figure, however its conditions are put
    assert "-" not in second
    assert [(one.release, one.split) for one in history.kept_figures(kept.read_text(encoding="utf-8"))] == [
        ("1.0", "dev"),
        ("1.0", "video"),
        ("1.1", "dev"),
        ("1.1", "video"),
    ]


def test_a_release_is_added_once(capsys: pytest.CaptureFixture[str]) -> None:
    before = history.HISTORY.read_bytes()
    with pytest.raises(SystemExit):
        history.main(["--release", "0.1.0"])
    assert "has 0.1.0 already" in capsys.readouterr().err
    assert history.HISTORY.read_bytes() == before


def test_a_readme_without_figures() -> None:
    with pytest.raises(ValueError, match="no table"):
        history.readme_figures("# platereader\n", release="1.0", day="2026-01-01")


def test_two_versions_are_compared_in_the_order_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, readme = tmp_path / "history.csv", tmp_path / "README.md"
    rows = [history.Figure(version, "2026-01-01", "AP50", version, "0–1", "9", "dev") for version in ("0.1", "0.2")]
    kept.write_text(history.as_csv(rows), encoding="utf-8")
    readme.write_text(f"{history.HEADER}\n|---|\n| AP50 | 0.9 | 0–1 | 9 | dev |\n", encoding="utf-8")
    monkeypatch.setattr(history, "HISTORY", kept)
    monkeypatch.setattr(history, "README", readme)
    history.main(["README", "0.1"])
    header, *_, figures = capsys.readouterr().out.splitlines()
    assert header.split() == ["what", "README", "0.1"]
    assert figures.split() == ["AP50", "0.9", "(0–1),", "n", "9", "0.1", "(0–1),", "n", "9"]
    with pytest.raises(SystemExit):
        history.main(["0.3"])
    assert "no figures of 0.3: there are those of 0.1, 0.2, README." in capsys.readouterr().err
