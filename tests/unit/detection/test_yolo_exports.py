"""What ultralytics itself exports is understood, and gives the boxes that its own predictor finds in the file."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from platereader import Box, Pipeline, read_image
from platereader._geometry import iou
from platereader.detection import RefinedDetector, YoloDetector

PICTURE = Path(__file__).resolve().parents[3] / "examples" / "pictures" / "street-1.jpg"
# Networks of one class with random weights, and more of them, so that the scores of places differ.
EXPORT = """
import json, sys
from pathlib import Path
import torch, yaml
from ultralytics import YOLO
from ultralytics.utils import ROOT
name, picture = sys.argv[1:]
settings = yaml.safe_load(next((ROOT / "cfg" / "models").rglob(f"{name}.yaml")).read_text())
settings["nc"] = 1
if "kpt_shape" in settings:
    settings["kpt_shape"] = [4, 2]
family, _, task = name.partition("-")
plain = Path(f"{family}n-{task}.yaml" if task else f"{family}n.yaml")
plain.write_text(yaml.safe_dump(settings))
torch.manual_seed(0)
model = YOLO(str(plain))
with torch.no_grad():
    for weights in model.model.model[-1].parameters():
        weights.add_(0.02 * torch.randn_like(weights))
file = model.export(format="onnx", imgsz=160, simplify=False)
found = YOLO(file).predict(picture, conf=1e-6, iou=0.7, imgsz=160, verbose=False)[0].boxes
Path("found.json").write_text(json.dumps([file, found.xyxy.tolist()[:20]]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "keypoints"), [("yolo11", 0), ("yolo26", 0), ("yolo26-pose", 4)])
def test_exports_give_what_ultralytics_finds_in_them(name: str, keypoints: int, tmp_path: Path) -> None:
    if importlib.util.find_spec("ultralytics") is None:
        pytest.skip("needs the extra platereader-anpr[ultralytics]")
    done = subprocess.run(
        [sys.executable, "-c", EXPORT, name, str(PICTURE)],
        cwd=tmp_path,
        env={**os.environ, "YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    file, boxes = json.loads((tmp_path / "found.json").read_text())
    detector: Any = Pipeline.build(detector=tmp_path / file).detector
    inner = detector.inner if isinstance(detector, RefinedDetector) else detector
    assert isinstance(inner, YoloDetector)
    assert inner.keypoints[0] == keypoints
    found = replace(inner, min_score=1e-6, max_iou=0.7).detect([read_image(PICTURE)])[0]
    assert len(boxes) == 20
    assert all(max(iou(Box(*box), one.box) for one in found) > 0.95 for box in boxes)
