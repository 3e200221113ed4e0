"""What a command writes: checked before any work, and told where it replaces something."""
