"""The networks, as in section 3.3 of the paper."""
