"""Training of the network that proposes places on whole frames."""
