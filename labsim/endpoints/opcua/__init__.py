"""The opcua endpoint."""
