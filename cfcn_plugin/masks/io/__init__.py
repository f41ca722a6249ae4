"""What mask sources read files with, and draw shapes by: none of it is a source."""
