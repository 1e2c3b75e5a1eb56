"""Between the dialogue's own types and ROS messages."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from imuface_interfaces.msg import EmpathyReply
from imuface_interfaces.msg import Sentence as SentenceMessage

from empathy_agent.chain import Chain, Layer
from empathy_agent.dialogue import Reply
from empathy_agent.safety import Risk
from empathy_agent.telling import Sentence, State


def to_message(reply: Reply, stamp: Time) -> EmpathyReply:
    """``EmpathyReply`` of a reply that was complete at ``stamp``."""
    message = EmpathyReply(
        session_id=reply.session_id,
        emotions_and_context=reply.chain[Layer.EMOTIONS_AND_CONTEXT],
        causes_and_beliefs=reply.chain[Layer.CAUSES_AND_BELIEFS],
        intention=reply.chain[Layer.INTENTION],
        strategy=reply.chain[Layer.STRATEGY],
        answer=reply.chain[Layer.ANSWER],
        locale=reply.locale,
        risk=int(reply.risk),
        resources=reply.resources,
        model=reply.model,
        seconds_to_first_token=reply.seconds_to_first_token,
        seconds_total=reply.seconds_total,
    )
    message.header.stamp = stamp
    return message


def from_message(message: EmpathyReply) -> Reply:
    """The reply in a message."""
    chain = Chain(
        {
            Layer.EMOTIONS_AND_CONTEXT: message.emotions_and_context,
            Layer.CAUSES_AND_BELIEFS: message.causes_and_beliefs,
            Layer.INTENTION: message.intention,
            Layer.STRATEGY: message.strategy,
            Layer.ANSWER: message.answer,
        },
    )
    return Reply(
        session_id=message.session_id,
        chain=chain,
        locale=message.locale,
        risk=Risk(message.risk),
        resources=list(message.resources),
        model=message.model,
        seconds_to_first_token=message.seconds_to_first_token,
        seconds_total=message.seconds_total,
    )


def sentence_message(sentence: Sentence, stamp: Time) -> SentenceMessage:
    """The message of a sentence that leaves at ``stamp``."""
    fields = {name: int(value) if isinstance(value, int) else value for name, value in vars(sentence).items()}
    message = SentenceMessage(**fields)
    message.header.stamp = stamp
    return message


def sentence_of(message: SentenceMessage) -> Sentence:
    """The sentence in a message. Raises ``ValueError`` for a state or a risk that there is not."""
    return Sentence(
        message.reply_id,
        message.session_id,
        message.index,
        State(message.state),
        message.text,
        message.locale,
        Risk(message.risk),
        message.turn,
    )
