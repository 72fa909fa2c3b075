"""What runs many trainings or scorings."""
