"""Names of the agent's topics and of its action, relative to the namespace of a person."""

UTTERANCE = "dialogue/utterance"
REPLY = "dialogue/reply"
AFFECT = "face/affect"
RESPOND = "dialogue/respond"
