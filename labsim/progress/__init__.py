"""A learner's record on this machine: attempts, best marks per competence, and their export as xAPI statements."""
