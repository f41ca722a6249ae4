"""Loading images and models of mm configs for figures."""
