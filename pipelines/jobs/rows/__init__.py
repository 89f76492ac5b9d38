"""What lists of jobs show of each."""
