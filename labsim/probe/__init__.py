"""Our own small clients, for any server: ours and those of the field. They know protocols, and nothing of a lab."""
