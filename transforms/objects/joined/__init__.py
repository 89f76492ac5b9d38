"""Small objects whose events are shaped together, because a batch costs the same for five events as for thousands."""
