"""The scenarios that ship with labsim: one folder each."""
