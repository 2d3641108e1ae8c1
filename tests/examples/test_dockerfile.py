"""What can be said of the service's container without building it; hadolint looks at it in ``.ci/run``."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICE = REPOSITORY / "examples" / "service"
LINES = (SERVICE / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
MADE_BEFORE = {"*.whl": "pip wheel --no-deps --wheel-dir examples/service ."}


def instructions(name: str) -> list[str]:
    """What follows a keyword, by the order in the file."""
    return [line.partition(" ")[2] for line in LINES if line.split(" ")[0] == name]


def test_what_is_copied_is_there() -> None:
    copied = [source for line in instructions("COPY") for source in shlex.split(line)[:-1]]
    assert {"service.py", "requirements.txt"} < set(copied)
    for source in copied:
        assert list(SERVICE.glob(source)) or source in MADE_BEFORE, source
    assert set(MADE_BEFORE.values()) <= {line.removeprefix("# ") for line in LINES}


def test_its_commands_are_those_of_the_page() -> None:
    page = (REPOSITORY / "docs" / "how-to" / "service.md").read_text(encoding="utf-8")
    block = page.partition("## In a container")[2].partition("```bash\n")[2].partition("```")[0]
    assert [line.removeprefix("# ") for line in LINES if re.match("# (pip|docker) ", line)] == block.splitlines()


def test_its_port_is_the_same_everywhere_and_its_user_is_the_one_that_is_made() -> None:
    (port,) = instructions("EXPOSE")
    assert all(f":{port}" in line for line in instructions("HEALTHCHECK"))
    assert any(f"--publish {port}:{port} " in line for line in LINES)
    assert f'"--port", "{port}"' in instructions("CMD")[0]
    (user,) = instructions("USER")
    assert any(f"useradd --uid {user} " in line for line in instructions("RUN"))


def test_what_it_starts_is_understood() -> None:
    """uvicorn knows the options, and the service has the application and the path that is asked for its health."""
    main = pytest.importorskip("uvicorn.main", reason="uvicorn is not installed").main
    program, *words = json.loads(instructions("CMD")[0])
    given = main.make_context(program, words).params
    assert (program, given["app"], given["factory"]) == ("uvicorn", "service:create_app", True)
    source = (SERVICE / "service.py").read_text(encoding="utf-8")
    assert "\ndef create_app(" in source
    (check,) = instructions("HEALTHCHECK")
    asked = json.loads(check.partition(" CMD ")[2])
    compile(asked[2], "HEALTHCHECK", "exec")
    (path,) = re.findall(r"http://127\.0\.0\.1:\d+(/\w+)", asked[2])
    assert f'@app.get("{path}"' in source
