"""Scenarios: the model, the loader and the variants."""
