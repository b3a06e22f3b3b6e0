"""What the machines of an SMT line share: a station that works on one board after the other, and what makes a joint good."""
