"""The hot tier for language models: search, counts and SQL as read-only tools of the Model Context Protocol."""
