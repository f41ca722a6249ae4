"""Images and models of mm configs, made ready to be drawn."""
