"""A pipeline on a labelled set: the run, the outcomes, the report."""
