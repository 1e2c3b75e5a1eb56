"""How good replies are: generated, measured, judged by a model, ranked by people."""
