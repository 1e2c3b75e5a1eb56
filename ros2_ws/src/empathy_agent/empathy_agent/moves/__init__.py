"""What a weak model chooses from, and the patterns of kinds of turn; read by :mod:`empathy_agent.turns`."""
