"""Help lines and fixed texts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from empathy_agent.language import is_in_language
from empathy_agent.safety import Hotlines, Kind, concern_lead, crisis_chain, objection, unanswered_chain
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("locale", "present", "absent"),
    [
        ("zh-CN", ["12356", "120", "110"], ["988", "911"]),
        ("zh_cn", ["12356"], []),
        ("en-US", ["988", "911"], ["12356"]),
        ("zh-TW", ["1925", "119"], ["12356", "120", "988"]),
        ("zh-Hant-TW", ["1925"], ["12356"]),
        ("zh-HK", ["2896 0000", "999"], ["12356", "110"]),
        ("zh-Hant-HK", ["2896 0000"], ["12356"]),
        ("zh-yue-HK", ["2896 0000"], ["12356"]),
        ("en-GB", ["116 123", "999"], ["12356", "911"]),
        ("en-UK", ["116 123"], []),
        ("en_GB.UTF-8", ["116 123"], []),
        ("zh-GB", ["116 123", "999", "倾听"], ["12356", "110"]),
        ("en-CN", ["12356", "120", "110"], ["988"]),
        ("fr-CA", ["988", "911"], []),
        ("en-AU", ["13 11 14", "000"], []),
        ("zh-SG", ["1767", "995"], ["12356"]),
        ("zh", ["findahelpline"], ["12356", "110"]),
        ("zh-Hant", ["findahelpline"], ["12356"]),
        ("zh-MY", ["findahelpline", "急救"], ["12356"]),
        ("en", ["findahelpline"], ["12356", "988"]),
        ("en-ZA", ["findahelpline"], ["12356", "911"]),
        ("de-DE", ["findahelpline"], ["12356"]),
        ("en-x-GB", ["findahelpline"], ["116"]),
        ("", ["findahelpline"], ["12356"]),
    ],
)
def test_help_lines_by_region(locale: str, present: list[str], absent: list[str]) -> None:
    text = "\n".join(Hotlines.load().lines(locale))
    assert all(part in text for part in present)
    assert not any(part in text for part in absent)


@pytest.mark.parametrize(
    ("locale", "kind", "first", "present", "absent"),
    [
        ("zh-CN", Kind.ATTEMPT, "120", ["110", "12356"], ["12338"]),
        ("zh-CN", Kind.SELF, "12356", ["120"], ["12338"]),
        ("zh-CN", Kind.HARMED, "110", ["12338"], ["12355"]),
        ("zh-CN", Kind.CHILD, "12355", ["110"], ["12338"]),
        ("zh-CN", Kind.OTHERS, "110", ["12356"], []),
        ("zh-CN", Kind.EMERGENCY, "120", ["110"], ["12356"]),
        ("zh-CN", Kind.VOICES, "120", ["12356"], []),
        ("zh-CN", Kind.THIRD, "120", ["110", "12356"], []),
        ("zh-TW", Kind.CHILD, "113", ["110", "1925"], []),
        ("en-US", Kind.HARMED, "911", ["1-800-799-7233"], ["1-800-422-4453"]),
        ("en-US", Kind.CHILD, "1-800-422-4453", ["911", "988"], []),
        ("en-GB", Kind.CHILD, "0800 1111", ["999"], []),
        ("zh-GB", Kind.HARMED, "999", ["0808 2000 247"], ["110", "12338"]),
        ("en-SG", Kind.CHILD, "999", ["1767"], []),
    ],
)
def test_help_lines_by_kind(locale: str, kind: Kind, first: str, present: list[str], absent: list[str]) -> None:
    lines = Hotlines.load().lines(locale, kind)
    assert first in lines[0]
    assert all(part in "\n".join(lines) for part in present)
    assert not any(part in "\n".join(lines) for part in absent)


@pytest.mark.parametrize("kind", [*Kind, None])
@pytest.mark.parametrize("locale", ["zh-CN", "zh-HK", "zh-TW", "en-US", "en-CA", "en-GB", "en-IE", "en-AU", "en-NZ"])
def test_no_region_leaves_a_kind_without_lines_or_says_one_twice(locale: str, kind: Kind | None) -> None:
    lines = Hotlines.load().lines(locale, kind)
    assert lines
    assert len(lines) == len(set(lines))


@given(st.text(max_size=20), st.sampled_from([*Kind, None]))
def test_any_locale_has_lines(locale: str, kind: Kind | None) -> None:
    assert Hotlines.load().lines(locale, kind)


def test_a_lab_brings_its_own_file(tmp_path: Path) -> None:
    file = tmp_path / "hotlines.yaml"
    file.write_text('"de-DE": [Telefonseelsorge]\n"*": [anywhere]\n')
    hotlines = Hotlines.load(file)
    assert hotlines.lines("de-DE") == ["Telefonseelsorge"]
    assert hotlines.lines("zh-CN") == ["anywhere"]
    assert hotlines.lines("de-DE", Kind.CHILD) == ["Telefonseelsorge"]
    assert hotlines.lines("en-DE", Kind.SELF) == ["Telefonseelsorge"]


def test_a_lab_may_tell_services_apart(tmp_path: Path) -> None:
    file = tmp_path / "hotlines.yaml"
    file.write_text('"de-DE": {crisis: [one, two], police: three}\n"*": [anywhere]\n')
    hotlines = Hotlines.load(file)
    assert hotlines.lines("de-DE", Kind.SELF) == ["one", "two", "three"]
    assert hotlines.lines("de-DE", Kind.OTHERS) == ["three", "one", "two"]
    assert hotlines.lines("de-DE", Kind.EMERGENCY) == ["three"]


def test_an_entry_without_what_is_needed_gives_all_it_has(tmp_path: Path) -> None:
    file = tmp_path / "hotlines.yaml"
    file.write_text('"de-DE": {child: [one]}\n"*": [anywhere]\n')
    assert Hotlines.load(file).lines("de-DE", Kind.EMERGENCY) == ["one"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "is not YAML"),
        ("- a", "must map locales"),
        ("", "must map locales"),
        ("en: [x]", 'entry "\\*"'),
        ('"*": []', "one or more lines"),
        ('"*": [1]', "one or more lines"),
        ('"*": [" "]', "one or more lines"),
        ('no: [x]\n"*": [x]', "put it in quotes"),
        ('"*": [x]\nen-GB: {}', "en-GB must be a list of one or more lines"),
        ('"*": [x]\nen-GB: {fire: [x]}', "en-GB has an entry 'fire'; known are crisis, police"),
        ('"*": [x]\nen-GB: {1: [x]}', "en-GB has an entry 1"),
        ('"*": [x]\nen-GB: {crisis: []}', "en-GB, crisis must be a list of one or more lines"),
        ('"*": [x]\nen-GB: {crisis: " "}', "en-GB, crisis must be a list of one or more lines"),
        ('"*": [x]\nen-GB: {crisis: [1]}', "en-GB, crisis must be a list of one or more lines"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "hotlines.yaml"
    file.write_text(content)
    with pytest.raises(ValueError, match=message) as caught:
        Hotlines.load(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Hotlines.load(tmp_path / "nowhere.yaml")


@given(st.dictionaries(st.text(max_size=4), st.recursive(st.none() | st.text(max_size=4) | st.integers(), st.lists)))
def test_a_file_of_anything_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, entries: object) -> None:
    file = tmp_path_factory.mktemp("lines") / "hotlines.yaml"
    file.write_text(yaml.safe_dump(entries), encoding="utf-8")
    fault = ""
    try:
        assert Hotlines.load(file).lines("en-GB")
    except ValueError as error:
        fault = str(error)
    assert not fault or str(file) in fault


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", [*Kind, None])
def test_fixed_texts_are_complete_and_fit(language: str, kind: Kind | None) -> None:
    chain = crisis_chain(language, kind) if kind else unanswered_chain(language)
    assert chain.missing == []
    for text in chain.texts.values():
        assert is_in_language(text, language)
        assert objection(text, language) == ""
    assert is_in_language(concern_lead(language), language)
