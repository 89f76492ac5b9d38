"""Events without a time have that of one before them in their object, within a window (docs/formats.md)."""
