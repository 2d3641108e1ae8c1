"""Training loops that make the weights; importing them without the packages of the extra ``train`` says so."""

from platereader._dependencies import check_installed

check_installed("torch", "safetensors", extra="train")
