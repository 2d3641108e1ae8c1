"""A pipeline's reader on drawn plates of every country, and on what is no plate."""
