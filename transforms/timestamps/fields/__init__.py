"""Which fields hold the time of a record, and how its day and month are ordered."""
