"""Pictures of the scenes suite."""
