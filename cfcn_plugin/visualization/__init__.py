"""Images of focus and of masks; needs matplotlib, so nothing else imports it."""
