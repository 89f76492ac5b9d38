"""Who may do what: keys, their roles, and what slows guessing."""
