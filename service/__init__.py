"""The service: an HTTP API over one hot tier, and the workers that run its queue of jobs (docs/service.md)."""
