"""REST services of devices: routes of their interfaces, JSON in and out, every request kept as evidence."""
