"""Keys: making, showing once, and revoking them."""
