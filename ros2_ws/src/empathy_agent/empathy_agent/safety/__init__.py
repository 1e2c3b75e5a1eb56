"""The deterministic crisis gate that stands before the model, and the help lines it gives."""

from empathy_agent.safety.gate import Kind, Risk, Verdict, assess
from empathy_agent.safety.hotlines import Hotlines
from empathy_agent.safety.replies import concern_lead, crisis_chain, unanswered_chain
from empathy_agent.safety.review import objection

__all__ = [
    "Hotlines",
    "Kind",
    "Risk",
    "Verdict",
    "assess",
    "concern_lead",
    "crisis_chain",
    "objection",
    "unanswered_chain",
]
