"""Modbus: a core from request PDU to response PDU over a register map that is a view of the tag store, and its TCP shell."""
