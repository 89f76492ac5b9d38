"""Workers: processes of their own that run the jobs of the queue, and what starts them again."""
