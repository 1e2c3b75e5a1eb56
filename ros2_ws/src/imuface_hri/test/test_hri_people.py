"""Who is who below /humans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_hri.people import Human, Visits, humans


def test_ids_come_from_namespaces_or_are_given() -> None:
    assert humans("/anna lab/ben=b7", "/", voices="v1 v2") == [
        Human("anna", "anna", "v1"),
        Human("lab/ben", "b7", "v2"),
    ]
    assert humans("", "/lab/anna") == [Human("lab/anna", "lab_anna", "lab_anna")]
    assert humans("", "/anna", "a7") == [Human("anna", "a7", "a7")]
    assert humans("", "/anna", "a7")[0].frame == "face_a7"


@pytest.mark.parametrize("namespace", ["/", "/imuface"])
def test_whoever_is_alone_is_anonymous(namespace: str) -> None:
    (human,) = humans("", namespace)
    assert (human.id, human.frame, human.anonymous) == ("imuface", "face_imuface", True)
    assert not humans("", namespace, "anna")[0].anonymous


@pytest.mark.parametrize(
    ("people", "person_id", "voices", "reason"),
    [
        ("a-b", "", "", "people holds 'a-b', which is no id"),
        ("anna=7", "", "", "people holds '7', which is no id"),
        ("a-b=anna", "", "", "people holds 'a-b', which is no namespace"),
        ("anna", "", "v/1", "voices holds 'v/1', which is no id"),
        ("anna /anna", "", "", "people holds 'anna' 2 times"),
        ("lab/anna lab_anna", "", "", "people holds 'lab_anna' 2 times"),
        ("anna ben", "", "v v", "voices holds 'v' 2 times"),
        ("anna ben", "", "v", "voices holds 1 ids for 2 people"),
        ("anna ben", "a7", "", "person_id is 'a7', and people holds 2"),
    ],
)
def test_what_is_no_id_is_refused(people: str, person_id: str, voices: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        humans(people, "/", person_id, voices)


def test_who_has_a_name_has_one_session_whenever_they_come() -> None:
    visits = Visits(Human("seat", "anna", "anna"), 10.0)
    assert visits.session(0.0) == "anna"
    visits.see(1.0)
    assert visits.session(1.0) == visits.session(1e6) == "anna"


def test_each_visit_of_somebody_anonymous_is_a_session_of_its_own() -> None:
    visits = Visits(Human("imuface", "imuface", "imuface"), 10.0)
    assert visits.session(0.0) == ""  # nobody is there
    visits.see(1.0)
    first = visits.session(1.0)
    assert first.startswith("imuface-")
    visits.see(5.0)
    assert visits.session(14.9) == first  # the earphones were lost for a moment
    visits.see(14.9)
    assert visits.session(14.9) == first
    assert visits.session(25.0) == ""
    visits.see(30.0)
    second = visits.session(30.0)
    assert second not in ("", first)
    visits.see(3.0)  # the clock was set back
    assert visits.session(3.0) not in ("", first, second)


@given(people=st.text("ab7/=_- ", max_size=30), voices=st.text("ab7/ ", max_size=10))
def test_any_text_gives_distinct_ids_or_a_reason(people: str, voices: str) -> None:
    try:
        found = humans(people, "/", voices=voices)
    except ValueError:
        return
    assert len({human.id for human in found}) == len({human.voice for human in found}) == len(found)
