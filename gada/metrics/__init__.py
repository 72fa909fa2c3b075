"""Figures of merit and image measures."""
