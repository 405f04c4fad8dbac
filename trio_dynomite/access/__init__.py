"""Who may do what: users, their passwords and rules, as Redis's access control lists have them."""
