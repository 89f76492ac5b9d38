"""How long events stay: rules files, and what their rules say of events (spec §9, §10)."""
