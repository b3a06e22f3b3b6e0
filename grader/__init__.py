"""The grader: judges an attempt folder, and nothing else."""
