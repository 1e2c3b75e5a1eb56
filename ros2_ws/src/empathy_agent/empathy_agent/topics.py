"""Names of the agent's topics and of its action and service, relative to the namespace of a person."""

UTTERANCE = "dialogue/utterance"
REPLY = "dialogue/reply"
AFFECT = "face/affect"
RESPOND = "dialogue/respond"
ACKNOWLEDGEMENT = "dialogue/acknowledgement"
FORGET = "dialogue/forget"

# Pieces of text come in bursts, and none may be lost on the way; the default of an action is 10.
FEEDBACK_DEPTH = 1000
