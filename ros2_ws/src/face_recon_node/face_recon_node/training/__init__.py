"""Training and evaluation of the network on simulated participants and recorded sessions."""
