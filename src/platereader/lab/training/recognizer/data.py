"""What the reader is trained on: plates made up on the fly and labelled photographs, as batches of network input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from platereader._arrays import BgrImage
from platereader.lab.datasets import LabelledImage, is_calibration
from platereader.lab.datasets.photographs import load_photographs, trainable
from platereader.lab.datasets.plates import RealPlate, cut_plates, with_corners
from platereader.lab.synthesis import degrade
from platereader.lab.synthesis.capture import CropProfile
from platereader.lab.synthesis.crops import PlateSample, jitter_real, plate_sample
from platereader.lab.synthesis.decoys import foreign_sample, lettered_sample, scenery_sample
from platereader.lab.synthesis.label import LEFT_END, RIGHT_END, Tokens, masked, plain_tokens
from platereader.lab.synthesis.lettering import cut_lettering
from platereader.lab.synthesis.neighbours import NEIGHBOURS, SCHEME_WEIGHTS, random_scheme
from platereader.lab.synthesis.pose import CornerError
from platereader.media._images import read_image
from platereader.plates import ILLEGIBLE, Alphabet
from platereader.plates._defaults import default_schemes
from platereader.protocols import Detector
from platereader.recognition._preprocess import prepare
from platereader.recognition._shape import ConvCtcConfig
from platereader.rectification._layout import rectify_quad
from platereader.results import PlateImage

# The detector's corners are off by about 2.0 % of the width in the median on photographs it never saw; the usual error
# is taught a little larger. A heavier tail would cut off characters that the label still names.
CORNER_ERROR = CornerError(median=0.026, tail=0.5)
"""How wrong the corners are that training cuts plates out by."""

# Of the pictures so many lose their colours, or get a cast.
_GREY_SHARE, _CAST_SHARE = 0.12, 0.3


class Kinds(NamedTuple):
    """Shares of the kinds of plates in a batch, 0 to 1; what they leave is made-up Russian plates.

    ``real`` are labelled plates, ``neighbours`` made-up ones of the countries whose characters and marks the network
    knows, ``foreign`` those of no particular country, ``scenery`` pieces of photographs and ``lettered`` lettering that
    are no plate.
    """

    real: float = 0.28
    neighbours: float = 0.24
    foreign: float = 0.08
    scenery: float = 0.04
    lettered: float = 0.02


class Sample(NamedTuple):
    """One plate laid out as one line, what it says, and what the network is taught to say of it.

    ``text`` has ``?`` for what is illegible; ``tokens`` are None for a whole plate without a mark.
    """

    plate: PlateImage
    text: str
    tokens: Tokens | None = None


class Batch(NamedTuple):
    """Network input float32 ``(N, 3, H, W)``, the classes of all texts one after the other, and N text lengths."""

    pictures: Tensor
    targets: Tensor
    lengths: Tensor


def training_plates(images: Iterable[LabelledImage], *, alphabet: Alphabet) -> list[RealPlate]:
    """The plates with text and fitted corners in the labelled pictures that may be trained on."""
    return [_masked(plate, alphabet) for plate in cut_plates(trainable(images))]


def held_out_plates(
    images: Iterable[LabelledImage], *, alphabet: Alphabet, detector: Detector | None = None
) -> list[RealPlate]:
    """The plates of the calibration fifth, of the countries whose marks the network looks for, else of Russia.

    Plates without corners are left out, unless a ``detector`` finds these.
    """
    kept = with_corners((image for image in images if is_calibration(image.path)), detector)
    countries = {scheme.country for scheme in default_schemes(alphabet)}
    return [_masked(plate, alphabet) for plate in cut_plates(kept) if (plate.country or "RU") in countries]


def _masked(plate: RealPlate, alphabet: Alphabet) -> RealPlate:
    """The plate with ``?`` for characters that the alphabet lacks, on plates of other countries."""
    return replace(plate, text=masked(plate.text, [char in alphabet.characters for char in plate.text]))


def background_photographs(folder: Path | None, *, count: int, rng: np.random.Generator) -> list[BgrImage]:
    """Random pictures without plates of a set, if given, at most 480 px on a side; none of the calibration fifth."""
    if folder is None:
        return []
    images = [image for image in load_photographs(folder).images if not image.plates and not is_calibration(image.path)]
    chosen: list[int] = rng.permutation(len(images))[:count].tolist()
    return [_shrunk(read_image(images[index].path)) for index in chosen]


def _shrunk(frame: BgrImage) -> BgrImage:
    scale = min(1.0, 480 / max(frame.shape[:2]))
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def exact_crops(plates: Iterable[RealPlate]) -> list[Sample]:
    """The plates as the rectifier cuts them out by their labelled corners: for validation."""
    return [Sample(rectify_quad(plate.pixels, plate.quad, plate.lines), plate.text) for plate in plates]


def jittered_crops(plates: Iterable[RealPlate], *, rng: np.random.Generator) -> list[Sample]:
    """The plates cut out by wrong corners and disturbed, as in training, but whole.

    Where corners are only guessed nobody knows which characters a cut would hide.
    """
    profile = CropProfile(corner_error=CORNER_ERROR)
    return [as_sample(jitter_real(plate, rng=rng, profile=profile)) for plate in plates]


@dataclass(eq=False)
class PlateBatches(Dataset[Batch]):
    """Batch number i of a run: the same for the same seed, however often the run was interrupted.

    ``config`` is the shape of the network. Without ``real`` plates all are made up; without ``backgrounds``,
    photographs without plates, there is no scenery.
    """

    alphabet: Alphabet
    _: KW_ONLY
    config: ConvCtcConfig = field(default_factory=ConvCtcConfig)
    batch_size: int
    real: Sequence[RealPlate] = ()
    kinds: Kinds = field(default_factory=Kinds)
    backgrounds: Sequence[BgrImage] = ()
    seed: int = 0
    profile: CropProfile = field(init=False)

    def __post_init__(self) -> None:
        lettering = cut_lettering(plate for plate in self.real if plate.country in (None, "RU"))
        self.profile = CropProfile(corner_error=CORNER_ERROR, cut_share=0.08, hidden_share=0.14, lettering=lettering)
        known = frozenset(self.alphabet.characters)
        self._countries: dict[str, float] = {
            scheme.country: SCHEME_WEIGHTS[scheme.country]
            for scheme in NEIGHBOURS
            if scheme.country in self.alphabet.marks and scheme.characters <= known
        }

    @override
    def __getitem__(self, index: int) -> Batch:
        """Make batch number ``index``."""
        rng = np.random.default_rng((self.seed, index))
        samples = [self.sample(rng) for _ in range(self.batch_size)]
        return to_batch(samples, alphabet=self.alphabet, config=self.config)

    def sample(self, rng: np.random.Generator) -> Sample:
        """One random plate."""
        foreign = partial(foreign_sample, alphabet=self.alphabet, profile=self.profile, backgrounds=self.backgrounds)
        scenery = partial(scenery_sample, profile=self.profile, scenes=self.backgrounds, plates=self.real)
        lettered = partial(lettered_sample, profile=self.profile, backgrounds=self.backgrounds)
        choice = rng.random()
        for share, make in (
            (self.kinds.real if self.real else 0.0, self._real),
            (self.kinds.neighbours if self._countries else 0.0, self._neighbour),
            (self.kinds.foreign, foreign),
            (self.kinds.scenery if self.backgrounds else 0.0, scenery),
            (self.kinds.lettered, lettered),
        ):
            if choice < share:
                return as_sample(_recoloured(make(rng), rng=rng))
            choice -= share
        return as_sample(_recoloured(plate_sample(rng, profile=self.profile, backgrounds=self.backgrounds), rng=rng))

    def _real(self, rng: np.random.Generator) -> PlateSample:
        return jitter_real(self.real[int(rng.integers(len(self.real)))], rng=rng, profile=self.profile)

    def _neighbour(self, rng: np.random.Generator) -> PlateSample:
        scheme = random_scheme(rng, weights=self._countries)
        return plate_sample(rng, profile=self.profile, backgrounds=self.backgrounds, scheme=scheme)


def _recoloured(made: PlateSample, *, rng: np.random.Generator) -> PlateSample:
    """The plate as it is, or as a camera without colours or with wrong ones shows it: colours help, and may lie."""
    choice = rng.random()
    if choice < _GREY_SHARE:
        return replace(made, pixels=degrade.infrared(made.pixels, rng=rng, strength=0.5 * float(rng.random())))
    if choice < _GREY_SHARE + _CAST_SHARE:
        return replace(made, pixels=degrade.white_balance(made.pixels, rng=rng, strength=float(rng.random())))
    return made


def to_batch(samples: Sequence[Sample], *, alphabet: Alphabet, config: ConvCtcConfig) -> Batch:
    """Input of a network of that shape, and targets, of some samples."""
    tokens = [plain_tokens(one.text) if one.tokens is None else one.tokens for one in samples]
    labels = [encode_label(one, alphabet=alphabet, ends=config.ends) for one in tokens]
    return Batch(
        torch.from_numpy(prepare([sample.plate for sample in samples], size_px=config.size_px)),
        torch.tensor([label for text in labels for label in text], dtype=torch.long),
        torch.tensor([len(text) for text in labels]),
    )


def encode_label(tokens: Tokens, *, alphabet: Alphabet, ends: int) -> list[int]:
    """Classes of a label, in the order of ``ConvCtcConfig``; marks and ends that a network lacks are left out.

    ``?``, and a character that the alphabet lacks, is the network's last class.
    """
    classes = {char: alphabet.encode(char)[0] for char in alphabet.characters}
    classes |= {country: alphabet.size + index for index, country in enumerate(alphabet.marks)}
    classes |= dict(zip((LEFT_END, RIGHT_END)[:ends], (alphabet.columns, alphabet.columns + 1), strict=False))
    absent = alphabet.columns + ends
    written = (one for one in tokens if one in classes or (len(one) == 1 and one not in (LEFT_END, RIGHT_END)))
    return [classes.get(token, absent) for token in written]


def decode_label(classes: Sequence[int], *, alphabet: Alphabet, ends: int) -> str:
    """The text of a label."""
    last = alphabet.columns + ends
    return "".join(
        ILLEGIBLE if one == last else alphabet.decode([one]) for one in classes if one < alphabet.size or one == last
    )


def as_sample(made: PlateSample) -> Sample:
    """A plate as the reader gets it: two lines joined to one."""
    return Sample(made.plate, made.text, made.tokens)
