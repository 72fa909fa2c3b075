"""The loss functions, as in section 3.2 of the paper."""
