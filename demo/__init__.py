"""The demonstration of `./run_local.sh`: an embedded S3, sample logs, and the command line as a user would type it."""
