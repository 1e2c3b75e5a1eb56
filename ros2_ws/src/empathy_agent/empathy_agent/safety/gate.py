"""The crisis gate: a deterministic look at the person's own words, before any model sees them.

Words are the only input. What the face shows never raises or lowers the risk.
"""

from __future__ import annotations

from dataclasses import dataclass

from empathy_agent.safety.normalise import normalise
from empathy_agent.safety.patterns import CLAUSES, IDIOMS, MITIGATIONS, MITIGATIONS_AFTER, RULES, Kind, Risk

__all__ = ["Kind", "Risk", "Verdict", "assess"]


@dataclass(frozen=True)
class Verdict:
    """The gravest finding; ``kind`` is None without one."""

    risk: Risk
    kind: Kind | None = None


def assess(text: str) -> Verdict:
    """The risk that a text states.

    Idioms are taken out first. Then each clause is searched for every phrase; a crisis phrase that is denied, past,
    someone else's or a story's counts as a concern. The gravest finding decides, and of equal ones the first rule.
    """
    verdict = Verdict(Risk.NONE)
    for clause in CLAUSES.split(IDIOMS.sub(" ", normalise(text))):
        for rule in RULES:
            if rule.risk <= verdict.risk:
                continue
            for match in rule.pattern.finditer(clause):
                risk = rule.risk
                mitigable = rule.kind is not Kind.HARMED
                before, after = clause[: match.start()], clause[match.end() :]
                if mitigable and (MITIGATIONS.search(before) or MITIGATIONS_AFTER.search(after)):
                    risk = Risk.CONCERN
                if risk > verdict.risk:
                    verdict = Verdict(risk, rule.kind)
    return verdict
