"""The modbus endpoint."""
