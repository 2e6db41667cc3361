"""What pages draw with: charts, prompts, menus, buttons."""
