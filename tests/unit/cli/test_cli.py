"""The command line as a whole: help, exit status, and what it does not load."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from platereader import __version__
from platereader.cli import main

PICTURE = Path(__file__).resolve().parents[3] / "examples" / "pictures" / "street-1.jpg"


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"platereader {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--ver"],
        ["reed"],
        ["read"],
        ["read", "--json", "--csv", "x.png"],
        ["read", "--tile", "large", "x.png"],
        ["read", "--jso", "x.png"],
        ["read", "--expl", "x.png"],
        ["read", "--csv", "--jsonl", "x.png"],
        ["read", "--engine", "steam", "x.png"],
        ["read", "--threads", "0", "x.png"],
        ["read", "--min-score", "2", "x.png"],
        ["redact", "x.png"],
        ["redact", "x.png", "-o", "x", "--country", "RU"],  # it reads nothing
        ["redact", "x.png", "-o", "x", "--recognizer", "y"],
        ["redact", "x.png", "-o", "x", "--method", "smear"],
        ["watch"],
        ["watch", "--json", "--csv", "x.mp4"],
        ["train"],
        ["train", "painter"],
        ["train", "detector"],
        ["train", "detector", "--even", "data"],
        ["train", "quantize"],
        ["benchmark"],
        ["benchmark", "recognizer", "--rounds", "0"],
        ["benchmark", "frame", "--engines", "steam"],
        ["weights", "steal"],
        ["weights", "fetch"],
        ["synth", "out", "--kind", "poems"],
        ["synth", "out", "--count", "0"],
    ],
)
def test_wrong_words_are_usage_errors(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: platereader" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["weights", "fetch", "plate-detecter"], 2, "Did you mean 'plate-detector'"),
        (["read", str(PICTURE), "--detector", "plate-detecter"], 2, "Did you mean 'plate-detector'"),
        (["read", str(PICTURE), "--detector", "no/such/file.safetensors"], 3, "file.safetensors"),
        (["read", str(PICTURE), "--tile", "9"], 2, "--tile is 9"),
        (["read", str(PICTURE), "--area", "0,0 9,9 0,9 9,0"], 2, "--area crosses or touches itself"),
        (["read", str(PICTURE), "--country", "RUS"], 2, "--country is 'RUS'"),
        (["read", str(PICTURE), "--engine", "torch", "--threads", "2"], 2, "OMP_NUM_THREADS"),
        (["evaluate", "no-such-folder"], 3, "no-such-folder"),
        (["benchmark", "frame", "no-such-picture.png"], 2, "no-such-picture"),
        (["benchmark", "frame", "--starts", "-1"], 2, "--starts is -1"),
        (["synth", f"{__file__}/out"], 2, "is no folder"),
        (["synth", "out", "--kind", "scenes"], 2, "--backgrounds"),
    ],
)
def test_errors_are_one_line_and_a_status(
    words: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("platereader: ")
    assert message in err
    assert "Traceback" not in err


def test_ctrl_c_is_no_traceback(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("platereader.registry._registry.Registry.verify", interrupted)
    assert main(["weights", "verify"]) == 130
    assert capsys.readouterr().err == "platereader: interrupted\n"


def test_sigterm_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "platereader.registry._registry.Registry.verify", lambda *_: os.kill(os.getpid(), signal.SIGTERM)
    )
    before = signal.getsignal(signal.SIGTERM)
    assert main(["weights", "verify"]) == 143
    assert capsys.readouterr().err == "platereader: stopped by SIGTERM\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_a_fork_ends_by_sigterm_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses: list[int] = []

    def fork(*_: object) -> list[object]:
        child = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: os.kill(os.getpid(), signal.SIGTERM))  # noqa: PLW1509
        statuses.append(child.wait())
        return []

    monkeypatch.setattr("platereader.registry._registry.Registry.verify", fork)
    assert main(["weights", "verify"]) == 0
    assert statuses == [-signal.SIGTERM]


@pytest.mark.parametrize(
    "area", ["", "0,0 9,9", "0,0 9,9 0,0", "0,0 9,9 nan,4", "0,0 9,9 4", "[(0, 0), (9, 9), (0, 9)]"]
)
def test_an_area_is_explained_as_it_is_written(area: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["read", "x.png", "--area", area])
    *_, message, _ = capsys.readouterr().err.splitlines()
    assert message.endswith(
        f'{area!r}: expected are 3 or more points in pixels of the frame: "0,400 1280,400 1280,720 0,720"'
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("words", "closed", "status"),
    [
        ("weights list", ">&-", 1),
        ("weights list", "<&- >&- 2>&-", 1),
        ("--version", ">&-", 1),
        ("read - nothing.png", "<&-", 1),
        ("synth {out} --count 1", ">&-", 0),
        ("read {picture}", ">&-", 1),
        ("read {picture} --save {out}", ">&-", 0),
        ("read {picture} --save-crops {out}", ">&-", 0),
    ],
)
def test_a_closed_output_is_a_failure_where_results_go_there(
    words: str, closed: str, status: int, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = words.format(out=shlex.quote(str(out)), picture=shlex.quote(str(PICTURE)))
    shell = f"exec {shlex.quote(sys.executable)} -m platereader {words} {closed}"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr, "Exception" in done.stderr) == (status, False, False)
    assert ("standard output is closed" in done.stderr) == (status == 1 and closed == ">&-")
    assert out.exists() == (status == 0)


@pytest.mark.parametrize("words", [["weights", "list"], ["--help"]])
def test_a_reader_that_hangs_up_is_no_failure(words: list[str]) -> None:
    code = f"import sys; from platereader.cli import main; sys.exit(main({words}))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom platereader.cli import build_parser\nbuild_parser().format_help()\n"
        "print([name for name in ('torch', 'cv2', 'ultralytics', 'PIL', 'tqdm', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"
