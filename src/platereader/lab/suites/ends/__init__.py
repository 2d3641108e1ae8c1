"""The suite ``ends``: plates of which one end is hidden or missing, none of which may be read as a shorter text."""
