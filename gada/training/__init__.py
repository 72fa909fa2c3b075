"""The LightningModules of each phase, and what they share."""
