"""Evidence: the journal, the history and the hand-in files of an attempt. Files and records only: no plant, no protocol."""
