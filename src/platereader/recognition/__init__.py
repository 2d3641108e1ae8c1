"""From a straightened plate to posteriors over characters: preprocessing, the network, and the part that runs it."""
