"""What the commands share besides their options."""
