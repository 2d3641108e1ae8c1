"""The scenes suite: plates that have to be found first, in frames made of photographs that nothing was trained on."""
