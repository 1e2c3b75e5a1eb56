"""Data, training and evaluation of the empathetic model, and studies with people."""
