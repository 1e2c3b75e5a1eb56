"""Simulated earphones: a performance moves a participant's ears, and two IMUs measure it (``docs/simulation.md``)."""

from imuface_simulation.earphones import SimulatedEarphones
from imuface_simulation.head_motion import ACTIVITIES
from imuface_simulation.participant import PEOPLE, Participant
from imuface_simulation.performance import Performance
from imuface_simulation.simulate import simulate

__all__ = ["ACTIVITIES", "PEOPLE", "Participant", "Performance", "SimulatedEarphones", "simulate"]
