"""What selections that train have in common."""
