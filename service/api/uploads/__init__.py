"""Files that come by HTTP, as a job."""
