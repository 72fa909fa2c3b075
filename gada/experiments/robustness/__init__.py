"""The robustness sweep: what quality distortions cost a classifier (Dodge and Karam, 2016)."""
