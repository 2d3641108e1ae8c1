"""The scenes suite: plates that have to be found first, in frames made of photographs nobody trained on."""
