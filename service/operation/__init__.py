"""What operators ask of a service: its metrics, and what it does by itself each day."""
