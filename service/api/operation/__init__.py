"""What operators and their tools ask: probes and metrics."""
