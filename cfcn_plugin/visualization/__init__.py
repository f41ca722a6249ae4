"""Pictures of focus; needs matplotlib, so nothing else imports it."""
