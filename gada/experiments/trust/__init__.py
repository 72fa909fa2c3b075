"""Can a score be trusted? What a sceptic would show a quality model, on anyone's photos and without human scores."""
