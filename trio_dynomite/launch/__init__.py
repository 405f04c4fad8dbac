"""Launching: the command line, the supervisor of the nodes of a machine, and one node in the foreground."""
