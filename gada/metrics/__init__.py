"""Metrics: correlation with human scores, image quality, what splits say."""
