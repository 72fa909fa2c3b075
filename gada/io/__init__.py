"""Files: images in, checkpoints and results out."""
