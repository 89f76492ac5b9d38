"""Ready-made pipelines: `NAME.yaml`, and `NAME.samples.yaml` with events and what becomes of them."""
