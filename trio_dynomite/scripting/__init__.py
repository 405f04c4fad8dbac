"""Lua: scripts and functions, and the sandbox in which they run."""
