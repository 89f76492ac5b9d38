"""What Splunk exports, and what its HTTP Event Collector takes."""
