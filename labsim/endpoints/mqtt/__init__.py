"""The mqtt endpoint."""
