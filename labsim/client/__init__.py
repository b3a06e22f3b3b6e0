"""The client of the control API: what every face and every command uses to talk to a running lab."""
