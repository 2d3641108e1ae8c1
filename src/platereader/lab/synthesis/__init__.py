"""Pictures of plates made from text: lettering, clean fronts, camera faults, street scenes."""
