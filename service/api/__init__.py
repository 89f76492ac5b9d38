"""The routes, each file a subject."""
