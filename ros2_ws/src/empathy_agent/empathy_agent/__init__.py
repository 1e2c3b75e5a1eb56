"""Empathetic dialogue with a chain of empathy: engines, safety gate, sessions."""
