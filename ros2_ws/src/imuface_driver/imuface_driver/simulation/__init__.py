"""Simulated earphones: a performance moves a participant's ears, and two IMUs measure it (``docs/simulation.md``)."""

from imuface_driver.simulation.earphones import SimulatedEarphones
from imuface_driver.simulation.head_motion import ACTIVITIES
from imuface_driver.simulation.participant import PEOPLE, Participant
from imuface_driver.simulation.performance import Performance
from imuface_driver.simulation.simulate import simulate

__all__ = ["ACTIVITIES", "PEOPLE", "Participant", "Performance", "SimulatedEarphones", "simulate"]
