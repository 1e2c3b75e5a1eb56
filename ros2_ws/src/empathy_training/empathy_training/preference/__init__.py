"""Learns from readers' ratings which of the sentences that an agent may say are liked best where."""
