"""The queue of jobs in a hot tier: jobs are submitted to it, and workers on any machine claim them one by one."""
