"""The paper's experiment on several splits."""
