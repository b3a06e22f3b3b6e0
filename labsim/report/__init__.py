"""What a finished attempt becomes on paper: the report, and the verdict in other programs' formats."""
