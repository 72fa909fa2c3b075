"""Scored image databases, splits by reference, packed caches and crops."""
