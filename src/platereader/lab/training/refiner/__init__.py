"""Training of the network that looks at each place, and says what it shows and where its corners are."""
