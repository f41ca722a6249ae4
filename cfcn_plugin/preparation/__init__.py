"""What is done with masks before training: drawing, making folders of them, checking."""
