"""How true to life predicted faces are: whether they move as the true face does, and show what it shows."""
