"""What drives have in common, no device type itself: load, motor, drive train, state machine and the base of a drive.

`impeller` and `belt` are what is driven, `motor` turns it, `train` is inverter, motor and load as one, `sequence` the state
machine of control and status words, `drive` the base class of the device types.
"""
