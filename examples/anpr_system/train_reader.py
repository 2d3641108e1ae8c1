"""Train the CRNN on a set in the layout of AUTO.RIA, from the repository's root.

    python -m examples.anpr_system.train_reader SET --out crnn.pth

``SET/train`` and ``SET/val`` each hold ``img/NAME.png`` and ``ann/NAME.json`` with the text in ``description``. Adam
at 1e-3, 64 plates at a time, CTC, gradients cut at 5; the weights of the best epoch on ``val`` are kept.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from examples.anpr_system.anpr import ALPHABET, Crnn, CrnnRecognizer, network_input
from platereader import PlateImage, read_image
from platereader.decoding import GreedyDecoder

try:
    import torch
    from torch import Tensor, nn
except ModuleNotFoundError as error:
    print(f'{error.name} is not installed: pip install "platereader-anpr[torch]"', file=sys.stderr)
    sys.exit(3)

_BATCH = 64


def plates_in(folder: Path) -> list[tuple[Path, str]]:
    """Pictures and their texts; the text of the label counts, not that of its name."""
    found: list[tuple[Path, str]] = []
    for label in sorted((folder / "ann").glob("*.json")):
        text = json.loads(label.read_text(encoding="utf-8"))["description"]
        picture = folder / "img" / f"{label.stem}.png"
        if picture.is_file() and text and set(text) <= set(ALPHABET.characters):
            found.append((picture, text))
    return found


def batches(plates: Sequence[tuple[Path, str]]) -> Iterator[tuple[Tensor, list[str]]]:
    """Inputs (N, 1, 32, 128) and N texts."""
    for first in range(0, len(plates), _BATCH):
        chunk = plates[first : first + _BATCH]
        yield network_input([read_image(path) for path, _ in chunk]), [text for _, text in chunk]


def train_epoch(network: nn.Module, optimizer: torch.optim.Optimizer, plates: Sequence[tuple[Path, str]]) -> float:
    """One pass over the plates; returns the mean loss."""
    network.train()
    losses: list[float] = []
    for pictures, texts in batches(plates):
        log_probs = network(pictures)  # (32, N, 23)
        targets = torch.tensor([1 + ALPHABET.characters.index(one) for text in texts for one in text])
        lengths = torch.tensor([len(text) for text in texts])
        steps = torch.full((len(texts),), len(log_probs))
        loss = nn.functional.ctc_loss(log_probs, targets, steps, lengths, zero_infinity=True)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def exact_share(network: nn.Module, plates: Sequence[tuple[Path, str]]) -> float:
    """Share of plates of which every character is read right, by the best path."""
    recognizer, decoder = CrnnRecognizer(network.eval()), GreedyDecoder(ALPHABET)
    right = 0
    for first in range(0, len(plates), _BATCH):
        chunk = plates[first : first + _BATCH]
        found = decoder.decode(recognizer.recognize([PlateImage(read_image(path), 1) for path, _ in chunk]))
        read = [candidates[0].text if candidates else "" for candidates in found]
        right += sum(text == told for text, (_, told) in zip(read, chunk, strict=True))
    return right / len(plates)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--minutes", type=float, help="begin no epoch after so many")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    torch.manual_seed(chosen.seed)
    rng = np.random.default_rng(chosen.seed)
    train, val = plates_in(chosen.data / "train"), plates_in(chosen.data / "val")
    if not train or not val:
        parser.error(f"{chosen.data} has {len(train)} plates in train and {len(val)} in val, expected are some in both")
    network = Crnn()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    best, begun = -1.0, time.monotonic()
    for epoch in range(chosen.epochs):
        if chosen.minutes is not None and time.monotonic() > begun + 60 * chosen.minutes:
            break
        loss = train_epoch(network, optimizer, [train[index] for index in rng.permutation(len(train))])
        share = exact_share(network, val)
        print(f"epoch {epoch + 1}  loss {loss:.3f}  exact {100 * share:.2f} % of {len(val)}", flush=True)
        if share > best:
            best = share
            torch.save(network.state_dict(), chosen.out)


if __name__ == "__main__":
    main()
