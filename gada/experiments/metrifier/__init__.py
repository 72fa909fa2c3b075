"""The metrifier: a network that predicts the error a classifier will make (Cheraaqee, 2022)."""
