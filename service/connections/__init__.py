"""Connections and requests before any route sees them: what is malformed, slow, or too much is refused here."""
