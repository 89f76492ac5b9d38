"""Plain text, its lines, and events of several of them."""
