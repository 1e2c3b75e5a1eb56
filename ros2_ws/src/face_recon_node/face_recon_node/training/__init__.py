"""Learning what is common to all people, and what is one person's own."""
