"""The service keeps what its own OpenAPI says, whatever it is sent: schemathesis asks, in process, always the same."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fakes import frame_with, patch_pipeline
from platereader import Box

for needed in ("fastapi", "multipart", "prometheus_client"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: pip install -r examples/service/requirements.txt")
schemathesis: Any = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

SERVICE = Path(__file__).resolve().parents[2] / "examples" / "service" / "service.py"
PNG = bytes(cv2.imencode(".png", frame_with({50: Box(40, 40, 100, 60)}))[1])
WIDE = bytes(cv2.imencode(".png", np.zeros((1, 40_000, 3), np.uint8))[1])
BROKEN = st.sampled_from([PNG[:200], PNG[:-9], WIDE, b"", b"BM", b"\xff\xd8\xff\xe0"]) | st.binary(max_size=40)
SENT = st.sampled_from([[PNG], [PNG] * 4]) | st.lists(st.just(PNG) | BROKEN, min_size=1, max_size=4)
# A body that the schema allows may well be no picture, and then it is refused; of pictures that are put into one the
# schema knows nothing. What it does not allow is refused with one of the statuses below, also with 413.
UNASKED = ("positive_data_acceptance", "negative_data_rejection")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("frames")
    (folder / "0.png").write_bytes(PNG)
    service = runpy.run_path(str(SERVICE), run_name="service")
    limits = service["Limits"](pictures=3, body_bytes=100_000, wait_s=5.0)
    cameras = {"gate": str(folder), "away": str(folder / "nothing.mp4")}
    yield schemathesis.openapi.from_asgi("/openapi.json", service["create_app"](patch_pipeline(), limits, cameras))
    schemathesis.python.asgi.shutdown_lifespans()


@pytest.mark.parametrize(
    ("path", "method", "mode", "statuses"),
    [
        ("/read", "POST", "positive", {200, 413, 415}),
        ("/read", "POST", "negative", {400, 413, 415, 422}),
        ("/cameras/{name}", "GET", "positive", {200, 404}),
        ("/healthz", "GET", "positive", {200}),
        ("/metrics", "GET", "positive", {200}),
    ],
)
def test_nothing_is_answered_that_is_not_in_the_schema(
    path: str, method: str, mode: str, statuses: set[int], schema: Any
) -> None:
    operation, seen = schema[path][method], set[int]()
    cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    left_out = [schemathesis.checks.CHECKS.get_one(name) for name in UNASKED]

    @settings(
        max_examples=12,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(cases)
        if mode == "positive" and method == "POST":
            case.body = {"files": data.draw(SENT)}
        if "name" in case.path_parameters and data.draw(st.booleans()):
            case.path_parameters["name"] = data.draw(st.sampled_from(["gate", "away"]))
        answer = case.call()
        seen.add(answer.status_code)
        case.validate_response(answer, excluded_checks=left_out)

    ask()
    assert seen <= statuses
    assert mode == "negative" or seen == statuses
