"""What a job will take."""
