"""Retention: rules and holds, what rules would take, deletions and restores."""
