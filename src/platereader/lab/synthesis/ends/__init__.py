"""Pictures of the suite ``ends``: plates of which one end is hidden or missing."""
