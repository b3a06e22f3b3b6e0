"""The plant: tag store, clock, devices. Knows no protocol, no scenario, no file of an attempt."""
