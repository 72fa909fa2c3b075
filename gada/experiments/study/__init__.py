"""The same splits trained with one thing changed at a time."""
