"""The years of stamps that name none, by the order in which they stand in their object (docs/formats.md)."""
