"""The years of an object whose stamps name none (docs/formats.md)."""
