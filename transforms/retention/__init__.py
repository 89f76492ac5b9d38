"""Retention: rules files, and their rules evaluated on events (spec §9, §10)."""
