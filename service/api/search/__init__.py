"""Search over HTTP: calls that only read, each over one version of the table."""
