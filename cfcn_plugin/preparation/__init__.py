"""What is done with masks before training: making folders of them, checking all."""
