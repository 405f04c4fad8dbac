"""Servers that keep a node's records: finding, starting, connecting. What is said to them is the engines'."""
