"""Names of the agent's topics and of its action and service, relative to the namespace of a person."""

from imuface_core.topics import ACKNOWLEDGEMENT, AFFECT, HEARD, REPLY, SENTENCE, UTTERANCE

__all__ = ["ACKNOWLEDGEMENT", "AFFECT", "FORGET", "HEARD", "REPLY", "RESPOND", "SENTENCE", "UTTERANCE"]

RESPOND = "dialogue/respond"
FORGET = "dialogue/forget"

# Pieces of text come in bursts, and none may be lost on the way; the default of an action is 10.
FEEDBACK_DEPTH = 1000
# Nothing that somebody said may be lost on the way, least of all a crisis in a crowd; the default of services is 10.
UTTERANCE_DEPTH = 2000
