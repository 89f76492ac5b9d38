"""The beginning of an object, for the plan and the preview: its events, where their times are from, what would help."""
