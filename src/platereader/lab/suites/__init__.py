"""Measuring a pipeline on a labelled set: the metrics, the run, the report."""
