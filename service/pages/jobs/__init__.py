"""Jobs: their list, and the report of each."""
