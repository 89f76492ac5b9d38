"""The receiver of Splunk's HTTP Event Collector: its calls, its write-ahead log, and its commits (docs/hec.md)."""
