"""Pictures of the stress suite."""
