"""The parts of which the forms of a time are made: names of months, zones."""
