"""Membership: who is in the cluster and who lives, told from node to node (SWIM with Lifeguard)."""
