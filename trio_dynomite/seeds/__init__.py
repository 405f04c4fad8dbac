"""Seeds: finding out whom to ask who is in the cluster, and asking them."""
