"""Retention: rules files, and their rules evaluated on events (docs/retention.md)."""
