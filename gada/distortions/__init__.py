"""Seeded degradations of 8-bit images."""
