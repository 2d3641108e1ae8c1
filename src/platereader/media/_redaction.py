"""Plates made unreadable for good, in pictures and in videos.

What covers a plate is made of its rough colours or of one flat colour, never of anything as fine as a character.
In videos a tracker fills the gaps between detections, so that no single frame gives the plate away.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, cast, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage, check_image
from platereader._contracts import check_detections, checked_detect, checked_update
from platereader._geometry import Box, Quad
from platereader.errors import InvalidArgumentError, TimestampError
from platereader.protocols import Detector, PlateTracker
from platereader.rectification._corners import is_plausible
from platereader.results import Detection

RedactionMethod: TypeAlias = Literal["blur", "fill"]
"""``blur`` keeps the rough colours of a plate, ``fill`` nothing of it."""

REDACTION_MIN_SCORE = 0.15
"""Score from which a detection is covered: a plate that is missed does more harm than a lamp that is covered.

On calibration pictures (131 labelled plates, 100 pictures without any) the shipped detector misses no more plates here
than at 0.03, and covers 0.21 places of an empty picture, not 1.17.
"""

# A plate becomes this many cells, whatever its size in pixels: about three characters share a cell.
_BLUR_CELLS = (3, 1)
# Rounding the means of the cells takes away what they still say about how much ink is where: the same plate with 150
# different texts gives one blur, but 54 with 4 x 2 cells rounded to 32.
_COLOUR_STEP = 64
_GREY = (96, 96, 96)
_MAX_COORDINATE_PX = 30_000
# A velocity is measured over this time, as the jitter of two neighbouring frames would throw it far off.
_VELOCITY_S = 0.25
# No vehicle moves in an exactly straight line: how much more is covered for each second from the nearest sighting, in
# plate heights.
_DRIFT = 2.0
_ROUNDING_S = 1e-6
# No gap longer than this is filled, however long a tracker remembers: memory stays bounded.
_MAX_GAP_S = 3.0


def redact(
    frame: BgrImage, detections: Sequence[Detection], *, method: RedactionMethod = "blur", margin: float = 0.25
) -> BgrImage:
    """Cover plates so that nothing can be read; all other pixels stay as they are.

    A plate is covered within its corners where it has plausible ones, else within its box. ``blur`` leaves three
    colours of a plate, rounded to multiples of 64 and blended into each other, whatever the plate's size: no sharpening
    brings the text back. ``fill`` leaves nothing at all to go by.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR; never written to.
        detections: plates in pixels of the frame.
        method: ``"blur"`` or ``"fill"`` (grey).
        margin: how much more than the plate is covered on every side, in heights of the plate, 0 to 10; 2 px at least.

    Returns:
        uint8 ``(H, W, 3)`` BGR, a new array.

    Raises:
        InvalidImageError: ``frame`` is not such an array.
        InvalidArgumentError: an unknown method, a margin out of range, or a detection that lies wholly outside of the
            frame.
    """
    checked = check_image(frame)
    _check_method(method)
    if not 0 <= margin <= 10:
        raise InvalidArgumentError(f"margin is {margin}, allowed are 0 to 10 heights of the plate: try 0.25.")
    found = check_detections(detections, checked)
    return _redacted_frame(checked, found, method=method, margin=margin)


@dataclass(frozen=True, slots=True, eq=False)
class RedactedFrame:
    """One frame of a video with its plates covered.

    Attributes:
        timestamp_s: as it came in, seconds.
        frame: uint8 ``(H, W, 3)`` BGR, a new array.
        covered: what was found in this frame, followed by where the tracks say that a plate is.
    """

    timestamp_s: float
    frame: BgrImage
    covered: tuple[Detection, ...]


def redact_stream(
    frames: Iterable[tuple[float, BgrImage]],
    *,
    detector: Detector,
    tracker: PlateTracker,
    method: RedactionMethod = "blur",
    margin: float = 0.25,
    look_ahead_s: float = 1.0,
    extend_s: float = 0.5,
) -> Iterator[RedactedFrame]:
    """Cover the plates of a video, also in frames where the detector misses them.

    A frame comes out once ``look_ahead_s`` of video has been seen after it. Until then, a gap in a track is filled by
    interpolation, and a track reaches back before its first detection. What a track does after its last one is not
    known: both the place where it was and the place where it would have got to are covered for ``extend_s``.

    Args:
        frames: ``(timestamp_s, frame)``; seconds that grow, and uint8 ``(H, W, 3)`` BGR, never written to.
        detector: finds plates; one with a low threshold, such as ``REDACTION_MIN_SCORE``.
        tracker: a fresh one, such as ``pipeline.tracker()``.
        method: as in ``redact``.
        margin: as in ``redact``.
        look_ahead_s: seconds of video that are held in memory, 0 to 10: a second of
            1920x1080 px at 25 frames is 156 MB.
        extend_s: how long a track is covered before its first and after its last detection, seconds, 0 to 10.

    Yields:
        One redacted frame for each that came in, in order.

    Raises:
        InvalidArgumentError: an unknown method, or a number out of range.
        InvalidImageError: a frame is not such an array.
        TimestampError: time does not grow.
        ContractError: detector or tracker broke its contract.
    """
    _check_method(method)
    for name, value in (("look_ahead_s", look_ahead_s), ("extend_s", extend_s), ("margin", margin)):
        if not 0 <= value <= 10:
            raise InvalidArgumentError(f"{name} is {value}, allowed are 0 to 10.")
    return _redacted(
        frames, _Follower(detector, tracker, extend_s=extend_s), method=method, margin=margin, look_ahead_s=look_ahead_s
    )


def _redacted(
    frames: Iterable[tuple[float, BgrImage]],
    follower: _Follower,
    *,
    method: RedactionMethod,
    margin: float,
    look_ahead_s: float,
) -> Iterator[RedactedFrame]:
    pending: deque[tuple[float, BgrImage, list[Detection]]] = deque()

    def redact_oldest() -> RedactedFrame:
        timestamp_s, frame, found = pending.popleft()
        covered = [*found, *follower.places(timestamp_s, frame)]
        return RedactedFrame(timestamp_s, _redacted_frame(frame, covered, method=method, margin=margin), tuple(covered))

    for timestamp_s, frame in frames:
        checked = check_image(frame)
        # A copy where the caller may write into its own buffer before the frame comes out.
        pending.append((timestamp_s, checked.copy(), follower.find(checked, timestamp_s)))
        while pending and timestamp_s - pending[0][0] >= look_ahead_s - _ROUNDING_S:
            yield redact_oldest()
    while pending:
        yield redact_oldest()


@dataclass(slots=True)
class _Track:
    """Where a plate was seen and when, in order of time; the past is forgotten as frames come out."""

    times: list[float] = field(default_factory=list[float])
    seen: list[Detection] = field(default_factory=list[Detection])

    def places(self, timestamp_s: float, *, extend_s: float) -> list[Detection]:
        """Where the plate may be at a time at which it was not seen."""
        after = bisect_left(self.times, timestamp_s)
        if after < len(self.times) and self.times[after] == timestamp_s:
            return []
        ends = range(max(after - 1, 0), min(after + 1, len(self.times)))
        away_s = min(abs(self.times[end] - timestamp_s) for end in ends)
        if len(ends) == 2:
            places = [self._interpolated_at(ends[0], ends[1], timestamp_s)]
        elif away_s <= extend_s + _ROUNDING_S:
            places = [self.seen[ends[0]], *self._extrapolated(ends[0], timestamp_s)]
        else:
            places = []
        return [_enlarged(place, _DRIFT * away_s) for place in places]

    def _interpolated_at(self, first: int, second: int, timestamp_s: float) -> Detection:
        """On the straight line through two sightings, or beyond them."""
        share = (timestamp_s - self.times[first]) / (self.times[second] - self.times[first])
        return _interpolated(self.seen[first], self.seen[second], share)

    def _extrapolated(self, end: int, timestamp_s: float) -> list[Detection]:
        """Where a plate that keeps its velocity is before its first sighting or after its last one."""
        steps = range(1, len(self.times)) if end == 0 else range(end - 1, -1, -1)
        others = [index for index in steps if abs(self.times[index] - self.times[end]) <= _VELOCITY_S]
        return [self._interpolated_at(end, others[-1], timestamp_s)] if others else []

    def forget(self, before_s: float) -> None:
        """Drop what says nothing about the time from ``before_s`` on; the last sighting stays."""
        keep = max(0, min(bisect_left(self.times, before_s), len(self.times)) - 1)
        del self.times[:keep], self.seen[:keep]


class _Follower:
    """Finds plates in new frames and says where they were in those that come out."""

    def __init__(self, detector: Detector, tracker: PlateTracker, *, extend_s: float) -> None:
        self._detector = detector
        self._tracker = tracker
        self._extend_s = extend_s
        self._tracks: dict[int, _Track] = {}
        self._now_s = -math.inf

    def find(self, frame: BgrImage, timestamp_s: float) -> list[Detection]:
        """The plates of the next frame."""
        if not (math.isfinite(timestamp_s) and timestamp_s > self._now_s):
            raise TimestampError(
                f"timestamp_s is {timestamp_s} after {self._now_s}: pass seconds that grow from frame to frame."
            )
        self._now_s = timestamp_s
        found = checked_detect(self._detector, [frame])[0]
        ids = checked_update(self._tracker, found, timestamp_s).track_ids
        for track_id, detection in zip(ids, found, strict=True):
            if track_id is not None:
                track = self._tracks.setdefault(track_id, _Track())
                track.times.append(timestamp_s)
                track.seen.append(detection)
        return found

    def places(self, timestamp_s: float, frame: BgrImage) -> list[Detection]:
        """Where tracks say that a plate is which was not found in that frame; called in order of time."""
        height, width = frame.shape[:2]
        places: list[Detection] = []
        for track_id, track in list(self._tracks.items()):
            places += track.places(timestamp_s, extend_s=self._extend_s)
            track.forget(min(timestamp_s, track.times[-1]) - _VELOCITY_S)
            if track.times[-1] < timestamp_s - self._extend_s - _MAX_GAP_S:
                del self._tracks[track_id]
        return [place for place in places if place.box.clipped(width, height) is not None]


def _interpolated(a: Detection, b: Detection, share: float) -> Detection:
    """A detection that is ``share`` of the way from ``a`` to ``b``; beyond them outside of 0..1."""

    def mixed(p: float, q: float) -> float:
        return p + share * (q - p)

    x1, y1, x2, y2 = map(mixed, a.box.to_tuple(), b.box.to_tuple())
    box = Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    score = min(a.score, b.score)
    if a.corners is None or b.corners is None:
        return Detection(box, score)
    points = a.corners.to_array() + share * (b.corners.to_array() - a.corners.to_array())
    return Detection(box, score, Quad.from_points(points))


def _enlarged(detection: Detection, heights: float) -> Detection:
    """The detection, larger by so many of its heights on every side."""
    corners, box = detection.corners, detection.box
    height_px = min(box.width, box.height) if corners is None else corners.height
    grown = None if corners is None else _expanded(corners, heights * height_px)
    return replace(detection, box=box.padded(heights * height_px, heights * height_px), corners=grown)


def _check_method(method: str) -> None:
    if method not in get_args(RedactionMethod):
        raise InvalidArgumentError(f"method is {method!r}, allowed are {list(get_args(RedactionMethod))}.")


def _outline(detection: Detection, *, margin: float) -> Quad:
    """What is to be covered: the corners if they can be those of the plate in the box, else the box; grown."""
    corners, box = detection.corners, detection.box
    if corners is not None and is_plausible(corners, box):
        return _expanded(corners, max(2.0, margin * corners.height))
    grow_px = max(2.0, margin * min(box.width, box.height))
    return Quad.from_box(box.padded(grow_px, grow_px))


def _expanded(quad: Quad, grow_px: float) -> Quad:
    """The quad with all of its edges about ``grow_px`` further out, along its own axes."""
    a, b, c, d = quad.to_array().astype(np.float64)
    right, down = _unit((b - a) + (c - d)), _unit((d - a) + (c - b))
    out = grow_px * np.stack([-right - down, right - down, right + down, down - right])
    return Quad.from_points(np.stack([a, b, c, d]) + out)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.hypot(vector[0], vector[1])), 1e-9)


def _redacted_frame(
    frame: BgrImage, detections: Sequence[Detection], *, method: RedactionMethod, margin: float
) -> BgrImage:
    """A copy of the frame with these plates covered."""
    canvas: BgrImage = frame.copy()
    for detection in detections:
        _cover(canvas, _outline(detection, margin=margin), method)
    return canvas


def _cover(canvas: BgrImage, outline: Quad, method: RedactionMethod) -> None:
    """Write over what is inside of the outline."""
    height, width = canvas.shape[:2]
    inside = outline.box.clipped(width, height)
    if inside is None:
        return
    x1, y1, x2, y2 = int(inside.x1), int(inside.y1), math.ceil(inside.x2), math.ceil(inside.y2)
    patch = canvas[y1:y2, x1:x2]
    mask = np.zeros(patch.shape[:2], np.uint8)
    points = np.clip(outline.to_array() - [x1, y1], -_MAX_COORDINATE_PX, _MAX_COORDINATE_PX).round().astype(np.int32)
    cv2.fillConvexPoly(mask, points, 1)
    patch[mask > 0] = _GREY if method == "fill" else _blurred(patch)[mask > 0]


def _blurred(patch: BgrImage) -> BgrImage:
    """A few rounded colours, blended into each other, as large as the patch."""
    cells = cv2.resize(patch, _BLUR_CELLS, interpolation=cv2.INTER_AREA).astype(np.float32)
    rounded = np.clip(np.rint(cells / _COLOUR_STEP) * _COLOUR_STEP, 0, 255)
    smooth = cv2.resize(rounded, (patch.shape[1], patch.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cast(BgrImage, smooth.astype(np.uint8))
