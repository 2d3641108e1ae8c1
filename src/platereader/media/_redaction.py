"""Plates made unreadable for good, in pictures and in videos.

What covers a plate is made of the colours around it, never of anything that is in it. In videos a tracker fills the
gaps between detections, so that no single frame gives the plate away. How much one detection may cover is bounded.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from platereader._arrays import BgrImage, check_image
from platereader._contracts import (
    check_detections,
    check_iterable,
    check_part,
    check_tracker,
    checked_detect,
    checked_update,
    timed_frame,
)
from platereader._geometry import Box, Quad, is_finite
from platereader.errors import InvalidArgumentError, TimestampError
from platereader.media._covering import DEFAULT_MARGIN, SURE_SCORE, RedactionMethod, covered, expanded
from platereader.protocols import Detector, PlateTracker
from platereader.results import Detection
from platereader.results._checks import choice, number
from platereader.results._evidence import plate_sides
from platereader.video._view import Size, View

REDACTION_MIN_SCORE = 0.15
"""Score from which a detection is covered: a plate that is missed does more harm than a lamp that is covered.

On calibration pictures (131 labelled plates, 100 pictures without any) the shipped detector misses no more plates here
than at 0.03, and covers 0.21 places of an empty picture, not 1.17.
"""

# The longest shorter side of a doubtful detection, in mean sides of the frame. A detector does not doubt plates that
# large: of the 70 that fill most of their pictures in dev/russian it found 69, each with 0.96 or more. Windscreens and
# grilles have less than 0.5.
_MAX_DOUBTFUL_SIDE = 0.07
# A velocity is measured over this time, as the jitter of two neighbouring frames would throw it far off.
_VELOCITY_S = 0.25
# What was seen this much earlier or later says how wide a plate is now: how much wider, and it was hidden in part.
_NEAR_S = 0.5
_NARROWED = 1.15
# No vehicle moves in an exactly straight line: how much more is covered for each second from the nearest sighting, in
# plate heights, and up to how many times its own area.
_DRIFT = 2.0
_MAX_DRIFT_AREA = 2.5
# A box that ends this close to a side of the frame, in pixels, is that of a plate that comes or goes there.
_AT_SIDE_PX = 2.0
_ROUNDING_S = 1e-6
# Frames of so many bytes are held at most, however many there are in a second: 80 of 3840x2160 px.
_MOST_HELD_BYTES = 2**31
# No gap longer than this is filled, however long a tracker remembers: memory stays bounded.
_MAX_GAP_S = 3.0


def redact(
    frame: BgrImage,
    detections: Sequence[Detection],
    *,
    method: RedactionMethod = "blur",
    margin: float = DEFAULT_MARGIN,
) -> BgrImage:
    """Cover plates so that nothing can be read; all other pixels stay as they are.

    A plate is covered within its corners where it has plausible ones, else within its box. All methods paint with the
    colours around a plate alone, so that no sharpening brings its text back: ``blur`` blends them, ``pixelate`` makes
    squares of them, ``fill`` takes their mean.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR; never written to.
        detections: plates in pixels of the frame.
        method: ``"blur"``, ``"pixelate"`` or ``"fill"``.
        margin: how much more than the plate is covered above and below it, in its heights, 0 to 10; 2 px at least, and
            twice as much at the ends of a plate with one line.

    Returns:
        uint8 ``(H, W, 3)`` BGR, a new array.

    Raises:
        InvalidImageError: ``frame`` is not such an array.
        InvalidArgumentError: an unknown method, a margin out of range, or a detection that lies wholly outside of the
            frame.
    """
    checked = check_image(frame)
    choice(method, RedactionMethod, name="method")
    if not 0 <= number(margin, name="margin") <= 10:
        raise InvalidArgumentError(f"margin is {margin}, allowed are 0 to 10 heights of the plate: try 0.25.")
    found = check_detections(detections, checked)
    return covered(checked, found, method=method, margin=margin)[0]


def credible(found: Sequence[Detection], frame: BgrImage) -> list[Detection]:
    """Detections without those that the detector doubts although they are large: windscreens, grilles, adverts."""
    limit_px = _MAX_DOUBTFUL_SIDE * math.sqrt(frame.shape[0] * frame.shape[1])
    return [one for one in found if one.score >= SURE_SCORE or min(one.box.width, one.box.height) <= limit_px]


@dataclass(frozen=True, slots=True, eq=False)
class RedactedFrame:
    """One frame of a video with its plates covered.

    Attributes:
        timestamp_s: as it came in, seconds, as a float.
        frame: uint8 ``(H, W, 3)`` BGR, a new array.
        covered: what was found in this frame, followed by where the tracks say that a plate is.
        covered_share: how much of the frame's area is covered, 0 to 1.
    """

    timestamp_s: float
    frame: BgrImage
    covered: tuple[Detection, ...]
    covered_share: float


def redact_stream(
    frames: Iterable[tuple[float, BgrImage]],
    *,
    detector: Detector,
    tracker: PlateTracker,
    method: RedactionMethod = "blur",
    margin: float = DEFAULT_MARGIN,
    look_ahead_s: float = 1.0,
    extend_s: float = 0.5,
) -> Iterator[RedactedFrame]:
    """Cover the plates of a video, also in frames where the detector misses them.

    A frame comes out once ``look_ahead_s`` of video has been seen after it. Until then, a gap in a track is filled by
    interpolation, and a track reaches back before its first detection. What a track does after its last one is not
    known: both the place where it was and the place where it would have got to are covered for ``extend_s``, but only
    the latter once it was at a side of the frame.

    Where a plate is found narrower than half a second before and after, as something passes in front of it, all of its
    width is covered. Where a track is not seen with a score of 0.5 within half a second, it is not extended, and only
    gaps of up to ``extend_s`` are filled. A detection with less than 0.5 whose shorter side is longer than 7 % of the
    frame's mean side is taken for a windscreen or the like, and not covered.

    Args:
        frames: ``(timestamp_s, frame)``; seconds that grow, and uint8 ``(H, W, 3)`` BGR, never written to.
        detector: finds plates; one with a low threshold, such as ``REDACTION_MIN_SCORE``.
        tracker: a fresh one, such as ``pipeline.tracker()``.
        method: as in ``redact``.
        margin: as in ``redact``.
        look_ahead_s: seconds of video that are held in memory, 0 to 10: a second of
            1920x1080 px at 25 frames is 156 MB. More than 2 GiB are not held: less is seen ahead then.
        extend_s: how long a track is covered before its first and after its last detection, seconds, 0 to 10.

    Yields:
        One redacted frame for each that came in, in order.

    Raises:
        InvalidArgumentError: an unknown method, a number out of range, no detector or tracker, or no pairs.
        InvalidImageError: a frame is not such an array.
        TimestampError: time does not grow.
        ContractError: detector or tracker broke its contract.
    """
    check_iterable(frames, name="frames")
    check_part(detector, kind="detector")
    check_tracker(tracker)
    choice(method, RedactionMethod, name="method")
    for name, value in (("look_ahead_s", look_ahead_s), ("extend_s", extend_s), ("margin", margin)):
        if not 0 <= number(value, name=name) <= 10:
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
    held_bytes = 0

    def redact_oldest() -> RedactedFrame:
        nonlocal held_bytes
        timestamp_s, frame, found = pending.popleft()
        held_bytes -= frame.nbytes
        places = (*found, *follower.places(timestamp_s, frame))
        pixels, share = covered(frame, places, method=method, margin=margin)
        return RedactedFrame(timestamp_s, pixels, places, share)

    for index, item in enumerate(frames):
        number_s, frame = timed_frame(item, index)
        timestamp_s = follower.checked_time(number_s)
        checked = check_image(frame)
        # A copy where the caller may write into its own buffer before the frame comes out.
        pending.append((timestamp_s, checked.copy(), follower.find(checked, timestamp_s)))
        held_bytes += checked.nbytes
        while pending and (timestamp_s - pending[0][0] >= look_ahead_s - _ROUNDING_S or held_bytes > _MOST_HELD_BYTES):
            yield redact_oldest()
    while pending:
        yield redact_oldest()


@dataclass(slots=True)
class _Track:
    """Where a plate was seen and when, in order of time; the past is forgotten as frames come out."""

    times: list[float] = field(default_factory=list[float])
    seen: list[Detection] = field(default_factory=list[Detection])

    def add(self, timestamp_s: float, detection: Detection) -> None:
        self.times.append(timestamp_s)
        self.seen.append(detection)

    def places(self, timestamp_s: float, size: Size, *, extend_s: float) -> list[Detection]:
        """Where else the plate may be in a frame of that size.

        That is at a time at which it was not seen, or of which something was hidden.
        """
        after = bisect_left(self.times, timestamp_s)
        if after < len(self.times) and self.times[after] == timestamp_s:
            return self._hidden_at(after)
        ends = range(max(after - 1, 0), min(after + 1, len(self.times)))
        away_s = min(abs(self.times[end] - timestamp_s) for end in ends)
        is_sure = any(self._is_sure(index) for end in ends for index in self._near(end))
        if len(ends) == 2:
            is_filled = is_sure or self.times[ends[1]] - self.times[ends[0]] <= extend_s + _ROUNDING_S
            places = [self._interpolated_at(ends[0], ends[1], timestamp_s)] if is_filled else []
        elif away_s <= extend_s + _ROUNDING_S and is_sure:
            moved = self._extrapolated(ends[0], timestamp_s)
            stays = not moved or not _is_at_side(self.seen[ends[0]], size)
            places = [self.seen[ends[0]], *moved] if stays else moved
        else:
            places = []
        return [_enlarged(place, _DRIFT * away_s) for place in places]

    def _hidden_at(self, seen: int) -> list[Detection]:
        """All of the plate, where it was wider in at least two sightings around this one."""
        least_px = _NARROWED * plate_sides(self.seen[seen])[0]
        near = (index for index in self._near(seen) if self._is_sure(index))
        wider = [index for index in near if plate_sides(self.seen[index])[0] > least_px]
        return [self._interpolated_at(wider[0], wider[-1], self.times[seen])] if len(wider) > 1 else []

    def _near(self, index: int) -> range:
        """The sightings within half a second of one."""
        time_s = self.times[index]
        return range(bisect_left(self.times, time_s - _NEAR_S), bisect_right(self.times, time_s + _NEAR_S))

    def _is_sure(self, index: int) -> bool:
        return self.seen[index].score >= SURE_SCORE

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
    """Finds plates in new frames and says where they were in those that come out.

    Tracks are in pixels of the first frame, as frames may change their size.
    """

    def __init__(self, detector: Detector, tracker: PlateTracker, *, extend_s: float) -> None:
        self._detector = detector
        self._tracker = tracker
        self._extend_s = extend_s
        self._tracks: dict[int, _Track] = {}
        self._now_s = -math.inf
        self._first_size: Size | None = None

    def checked_time(self, timestamp_s: float) -> float:
        """The time of the next frame as a float: of others, such as a Fraction, numpy makes objects."""
        if not (is_finite(timestamp_s) and float(timestamp_s) > self._now_s):
            raise TimestampError(
                f"timestamp_s is {timestamp_s} after {self._now_s}: pass seconds that grow from frame to frame."
            )
        return float(timestamp_s)

    def find(self, frame: BgrImage, timestamp_s: float) -> list[Detection]:
        self._now_s = timestamp_s
        found = credible(checked_detect(self._detector, [frame])[0], frame)
        size = (frame.shape[1], frame.shape[0])
        self._first_size = self._first_size or size
        placed = [View(size, self._first_size).detection_in_first(one) for one in found]
        ids = checked_update(self._tracker, placed, timestamp_s).track_ids
        for track_id, detection in zip(ids, placed, strict=True):
            if track_id is not None:
                self._tracks.setdefault(track_id, _Track()).add(timestamp_s, detection)
        return found

    def places(self, timestamp_s: float, frame: BgrImage) -> list[Detection]:
        """Where tracks say that a plate is which was not found in that frame; called in order of time."""
        size = (frame.shape[1], frame.shape[0])
        first_size = self._first_size or size
        places: list[Detection] = []
        for track_id, track in list(self._tracks.items()):
            places += track.places(timestamp_s, first_size, extend_s=self._extend_s)
            track.forget(min(timestamp_s, track.times[-1]) - _NEAR_S)
            if track.times[-1] < timestamp_s - self._extend_s - _MAX_GAP_S:
                del self._tracks[track_id]
        seen = map(View(first_size, size).detection_in_first, places)
        return [place for place in seen if place.box.clipped(*size) is not None]


def _interpolated(a: Detection, b: Detection, share: float) -> Detection:
    """A detection that is ``share`` of the way from ``a`` to ``b``; beyond them outside of 0..1."""

    def mixed(p: float, q: float) -> float:
        return p + share * (q - p)

    x1, y1, x2, y2 = map(mixed, a.box.to_tuple(), b.box.to_tuple())
    box = Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    corners = None
    if a.corners is not None and b.corners is not None:
        corners = Quad.from_points(a.corners.to_array() + share * (b.corners.to_array() - a.corners.to_array()))
    return replace(a, box=box, score=min(a.score, b.score), corners=corners)


def _is_at_side(detection: Detection, size: Size) -> bool:
    """Whether a plate touches a side of a frame of that size."""
    box, (width, height) = detection.box, size
    return bool(min(box.x1, box.y1, width - box.x2, height - box.y2) <= _AT_SIDE_PX)


def _enlarged(detection: Detection, heights: float) -> Detection:
    """The detection, larger by so many of its heights on every side, up to ``_MAX_DRIFT_AREA``."""
    corners = detection.corners
    width, height = plate_sides(detection)
    # The root of (width + 2 grow) (height + 2 grow) = limit * width * height.
    around = width + height
    most_px = (math.sqrt(around**2 + 4 * (_MAX_DRIFT_AREA - 1) * width * height) - around) / 4
    grow_px = min(heights * min(width, height), most_px)
    grown = None if corners is None else expanded(corners, grow_px, grow_px)
    return replace(detection, box=detection.box.padded(grow_px, grow_px), corners=grown)
