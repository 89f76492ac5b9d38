"""What administrators do: the configuration that the tier keeps, deletions and restores."""
