"""What a weak model chooses from, and the patterns of kinds of turn, per language; read by :mod:`empathy_agent.turns`."""
