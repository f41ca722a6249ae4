"""What is done with masks before training: drawing, converting, checking."""
