"""``platereader watch``: the plates of a video or camera, each passage once."""
