"""Explore: what is here, queries, charts, and events with their attributes."""
