"""What modules and callbacks know of their run: its processes, checkpoint files, environment and end."""
