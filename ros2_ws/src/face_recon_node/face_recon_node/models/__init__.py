"""Everything that turns readings into a face: one family, one protocol."""
