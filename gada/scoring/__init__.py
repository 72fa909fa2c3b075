"""A trained evaluator at work."""
