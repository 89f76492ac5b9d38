"""JSON: `format.read` over a framer that finds objects in any layout, and readers of their fields."""
