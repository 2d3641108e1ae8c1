"""Read all pictures of a folder and print one JSON line for each: ``python examples/read_folder.py FOLDER``."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from platereader import MediaFileError, Pipeline
from platereader.media import read_image


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    pipeline = Pipeline.build()
    for path in sorted(path for path in Path(arguments[0]).iterdir() if path.is_file()):
        try:
            readings = pipeline.read(read_image(path))
        except MediaFileError as error:
            print(error, file=sys.stderr)
            continue
        plates = [reading.to_dict() for reading in readings]
        print(json.dumps({"file": path.name, "plates": plates}, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
