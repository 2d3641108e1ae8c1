"""How fast whole pipelines are here: stages, memory and start by engine, precision, threads and input size."""
