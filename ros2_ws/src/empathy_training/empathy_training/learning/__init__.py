"""The stages of Empathy-R1's recipe (arXiv:2509.14851) with TRL and PEFT, on any Hugging Face base model.

Needs ``requirements-empathy.txt``; the agent itself does not.
"""
