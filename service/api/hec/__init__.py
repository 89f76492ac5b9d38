"""The calls of Splunk's HTTP Event Collector."""
