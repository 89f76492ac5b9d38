"""CSV: from blocks of bytes to rows (`format.read`), whole objects and ranges of them."""
