"""Fit the weight of each frame of a track, and the confidence of the text that is fused from all of them.

The plates are those of half of the calibration fifth, so that the other half can measure the fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from platereader._defaults import default_rectifier
from platereader._reading import PlateReader
from platereader.lab.datasets.labels import LabelledImage, name_hash
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis.tracks import random_track
from platereader.lab.training.recognizer.data import held_out_plates
from platereader.lab.training.trust.calibrate import PolicyOutcome, how_far_it_holds
from platereader.plates import Alphabet, Schemes
from platereader.plates._defaults import default_schemes
from platereader.protocols import CTCDecoder, Detector, Recognizer
from platereader.results import FusedSigns, PlateReading
from platereader.trust import Calibration, FrameWeights, FusedCalibration, TrustPolicy
from platereader.trust._fused import FRAME_SIGNS, FUSED_FEATURES, UNFITTED
from platereader.video._fusion import FusedEvidence
from platereader.video._fusion.evidence import MAX_TEXTS
from platereader.video._fusion.texts import Frame, lines_of, log_prob_table, proposed

_SEED = 2**42
# Below it, frames that see little of a plate can no longer vote together against one that misreads it with confidence.
_MIN_FLOOR_NATS = 8.0
# Near 1, a hundred frames of a parked car that agree would say no more than one.
_MAX_DEPENDENCE = 0.8
# Fills the tables up where a track has fewer texts than others; infinity has no gradient.
_NO_TEXT_NATS = 1e4
_EVALUATED_AFTER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 30)


class ReadTrack(NamedTuple):
    """What was read of one track, frame by frame, what its plate says, and how degraded the frames are, 0 to 1."""

    readings: Sequence[PlateReading]
    text: str
    severity: float


class FusedExamples(NamedTuple):
    """Fused texts after some numbers of frames of tracks: their signs, and whether they were right."""

    signs: Sequence[FusedSigns]
    right: Sequence[bool]


def fusion_plates(
    images: Iterable[LabelledImage], *, alphabet: Alphabet, detector: Detector | None = None
) -> list[RealPlate]:
    """The plates of every other picture of the calibration fifth: ``sha1(file name) % 10 == 0``.

    Those of ``held_out_plates`` of which every character is known to the alphabet.
    """
    chosen = (image for image in images if name_hash(image.path) % 10 == 0)
    plates = held_out_plates(chosen, alphabet=alphabet, detector=detector)
    return [one for one in plates if set(one.text) <= set(alphabet.characters)]


def read_tracks(
    recognizer: Recognizer,
    decoder: CTCDecoder,
    plates: Sequence[RealPlate],
    *,
    trust: TrustPolicy,
    count: int,
    seed: int = _SEED,
) -> list[ReadTrack]:
    """Make ``count`` tracks, from easy to hard, and read their frames as a pipeline with the default rectifier would.

    ``plates`` are photographed ones, at least one; ``trust`` has the calibration of the single readings.
    """
    reader = PlateReader(default_rectifier(), recognizer, decoder, trust, default_schemes(recognizer.alphabet))
    tracks: list[ReadTrack] = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        severity = (number + float(rng.random())) / count
        track = random_track(plates, severity=severity, rng=rng)
        frames = [one.frame for one in track.observations]
        found = reader.read_frames(frames, [[one.detection] for one in track.observations])
        tracks.append(ReadTrack([readings[0] for readings in found], track.text, severity))
    return tracks


def fit_frame_weights(tracks: Sequence[ReadTrack], *, alphabet: Alphabet) -> FrameWeights:
    """The weights under which the right texts are most probable, of all that are considered and none of them.

    Each track counts twice: as a whole, and as far as a random frame.
    """
    rng = np.random.default_rng(len(tracks))
    lengths = [(len(track.readings), int(rng.integers(1, len(track.readings), endpoint=True))) for track in tracks]
    parts = [(track, end) for track, ends in zip(tracks, lengths, strict=True) for end in ends]
    schemes = default_schemes(alphabet)
    scored = [one for track, end in parts if (one := _scored(track, end, alphabet, schemes)) is not None]
    # What only fills up the shorter parts weighs nothing: its sign for the bias is 0, too.
    tables = pad_sequence([one.table for one in scored], batch_first=True)  # (N, F, K)
    signs = pad_sequence([one.signs for one in scored], batch_first=True)  # (N, F, 1 + S)
    penalties = torch.stack([one.penalties for one in scored])  # (N, K)
    truth = torch.tensor([one.truth for one in scored])  # (N,)
    values = torch.zeros(len(FRAME_SIGNS) + 3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([values], max_iter=80, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        log_shares = torch.log_softmax(_scores(values, tables, signs, penalties), dim=1)  # (N, K + 1)
        cross_entropy = -log_shares.gather(1, truth[:, None]).mean() + 1e-3 * (values[1:-2] ** 2).sum()
        cross_entropy.backward()
        return cross_entropy

    optimizer.step(loss)
    bias, *weights, floor, dependence = (round(float(value), 6) for value in _in_range(values.detach()))
    return FrameWeights(bias, tuple(weights), floor_nats=floor, dependence=dependence)


class _Scored(NamedTuple):
    """Part of a track: log P (F, K), 1 and signs (F, 1 + S), penalties (K,); index of the right text, K for none."""

    table: Tensor
    signs: Tensor
    penalties: Tensor
    truth: int


def _scored(track: ReadTrack, end: int, alphabet: Alphabet, schemes: Schemes) -> _Scored | None:
    """The first frames of a track and the texts to consider; None where nothing is legible."""
    seen = (Frame.of(reading, index, weights=UNFITTED) for index, reading in enumerate(track.readings[:end]))
    frames = [frame for frame in seen if frame.candidates]
    if not frames:
        return None
    texts = proposed([(frame.weight, frame.candidates) for frame in frames], count=MAX_TEXTS)
    missing = MAX_TEXTS - len(texts)
    table = np.maximum(log_prob_table(frames, texts, alphabet), -60.0)
    lines = lines_of(frames)
    penalties = [UNFITTED.penalty(schemes.fit(text, lines=lines)) for text in texts] + [_NO_TEXT_NATS] * missing
    return _Scored(
        table=functional.pad(torch.from_numpy(table).double(), (0, missing)),
        signs=torch.tensor([(1.0, *frame.signs) for frame in frames], dtype=torch.float64),
        penalties=torch.tensor(penalties, dtype=torch.float64),
        truth=texts.index(track.text) if track.text in texts else MAX_TEXTS,
    )


def _in_range(values: Tensor) -> Tensor:
    """Any numbers as a bias, weights of the signs, a floor above the least and a dependence below the greatest one."""
    floor = _MIN_FLOOR_NATS + functional.softplus(values[-2:-1])
    return torch.cat([values[:-2], floor, _MAX_DEPENDENCE * torch.sigmoid(values[-1:])])


def _scores(values: Tensor, tables: Tensor, signs: Tensor, penalties: Tensor) -> Tensor:
    """The scores of ``FusedEvidence`` for the texts, and last for all others together: (N, K + 1)."""
    values = _in_range(values)
    floor, dependence = values[-2], values[-1]
    weights = torch.exp(signs @ values[:-2]) * signs[..., 0]  # (N, F)
    total = weights.sum(dim=1, keepdim=True)
    bounded = torch.logaddexp(tables, -floor)
    mean = (weights[..., None] * bounded).sum(dim=1) / total - penalties
    return torch.cat([mean, -floor.expand_as(total)], dim=1) * total ** (1 - dependence)


def fused_examples(tracks: Sequence[ReadTrack], *, trust: TrustPolicy, alphabet: Alphabet) -> FusedExamples:
    """Fuse each track frame by frame, and note its text after some numbers of frames."""
    schemes = default_schemes(alphabet)
    signs: list[FusedSigns] = []
    right: list[bool] = []
    for track in tracks:
        evidence = FusedEvidence(trust, alphabet=alphabet, schemes=schemes)
        for index, reading in enumerate(track.readings):
            evidence.add(reading, index)
            if index + 1 in _EVALUATED_AFTER and evidence.fused.signs is not None:
                signs.append(evidence.fused.signs)
                right.append(evidence.fused.text == track.text)
    return FusedExamples(signs, right)


def fused_policy_outcome(tracks: Sequence[ReadTrack], *, trust: TrustPolicy, alphabet: Alphabet) -> PolicyOutcome:
    """Fuse all frames of each track and count what the policy lets through."""
    schemes = default_schemes(alphabet)
    pairs: list[tuple[bool, bool]] = []
    for track in tracks:
        evidence = FusedEvidence(trust, alphabet=alphabet, schemes=schemes)
        for index, reading in enumerate(track.readings):
            evidence.add(reading, index)
        pairs.append((evidence.fused.status == "read", evidence.fused.text == track.text))
    return PolicyOutcome.of(pairs)


def fit_fusion(
    tracks: Sequence[ReadTrack], *, single: Calibration, alphabet: Alphabet
) -> tuple[Calibration, dict[str, float | None]]:
    """Fit the weights of the frames on every other track, and the confidence on the others.

    ``single`` is the calibration of the single readings. Returned are the same one with that of fusion, and the
    ``calibration_error`` and ``auroc`` that a fit on two thirds of the other tracks has on their last third.

    Raises:
        InvalidArgumentError: all fused texts are right, or all wrong.
    """
    frames = fit_frame_weights(tracks[::2], alphabet=alphabet)
    start = FusedCalibration(frames, 0.0, (0.0,) * len(FUSED_FEATURES), len(tracks))
    others, unfitted = tracks[1::2], TrustPolicy(calibration=replace(single, fusion=start))
    thirds = [fused_examples(others[third::3], trust=unfitted, alphabet=alphabet) for third in range(3)]
    partial_fit, held_out = start.fitted(*_joined(thirds[1:])), thirds[0]
    confidences = [partial_fit.confidence(one) for one in held_out.signs]
    return replace(single, fusion=start.fitted(*_joined(thirds))), how_far_it_holds(confidences, held_out.right)


def _joined(parts: Sequence[FusedExamples]) -> FusedExamples:
    return FusedExamples([one for part in parts for one in part.signs], [one for part in parts for one in part.right])
