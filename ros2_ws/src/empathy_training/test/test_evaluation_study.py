"""The blind study: a page that gives nothing away, in a real browser, and files that are counted or refused."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from empathy_training.commands.study import study_app
from empathy_training.corpus.examples import Example, write_examples
from empathy_training.evaluation.study import DIMENSIONS, make_study, score_study
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SYSTEMS = ("zebra-7b-sft", "quokka-base", "yak-grpo")
POSTS = {f"en-secret-{n}": f"Post number {n}: my desk was moved to the corridor." for n in range(6)}
REPLIES = {
    system: {id: f"Letter {place} to number {id[-1]}." for id in POSTS} for place, system in enumerate(SYSTEMS, 11)
}


def study(folder: Path, number: int = 3, **changes: Any) -> Path:
    """The key of a study in a folder; its page is ``study.html``."""
    content: dict[str, Any] = {"posts": POSTS, "replies": REPLIES, "number": number, "language": "en", "seed": 0}
    return make_study(**(content | changes), page=folder / "study.html")


def shown(key: Path) -> dict[str, Any]:
    """What the page beside a key holds."""
    page = (key.parent / "study.html").read_text(encoding="utf-8")
    content = re.search(r'<script type="application/json" id="study">(.*?)</script>', page, re.DOTALL)
    assert content
    return json.loads(content[1])


def result(key: Path, rater: str = "R1", ranks: tuple[int, ...] = (1, 2, 3)) -> dict[str, Any]:
    """What a rater saves who gives these ranks to the systems, whatever the post and the dimension."""
    known = json.loads(key.read_text())
    posts = []
    for post, hidden in known["posts"].items():
        by_system = dict(zip(SYSTEMS, ranks, strict=True))
        own = {token: by_system[system] for token, system in hidden["systems"].items()}
        posts.append({"post": post, "order": [*own], "ranks": {name: dict(own) for name in DIMENSIONS}, "seconds": 4})
    return {"study": known["study"], "rater": rater, "posts": posts}


def saved(folder: Path, content: Any, name: str = "result.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


# The page -------------------------------------------------------------------------------------------------------------


def test_the_page_gives_no_system_away(tmp_path: Path) -> None:
    key = study(tmp_path)
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    known = json.loads(key.read_text())
    for secret in (*SYSTEMS, *POSTS, "counsellor"):
        assert secret not in page
    assert key.name == "study.key.json"
    for post in shown(key)["posts"]:
        hidden = known["posts"][post["post"]]
        assert post["text"] == POSTS[hidden["id"]]
        for token, text in post["replies"]:
            assert text == REPLIES[hidden["systems"][token]][hidden["id"]]
        assert len(post["replies"]) == len(SYSTEMS)


def test_the_place_of_a_reply_tells_nothing(tmp_path: Path) -> None:
    posts = {str(n): f"Post {n}" for n in range(300)}
    key = study(tmp_path, 300, posts=posts, replies=dict.fromkeys(SYSTEMS, posts))
    known = json.loads(key.read_text())["posts"]
    places = [[known[post["post"]]["systems"][token] for token, _ in post["replies"]] for post in shown(key)["posts"]]
    by_token = [[systems[token] for token in sorted(systems)] for systems in (one["systems"] for one in known.values())]
    for orders in (places, by_token):
        for place in range(3):
            for system in SYSTEMS:
                assert 65 < sum(order[place] == system for order in orders) < 135
    tokens = [token for one in known.values() for token in one["systems"]]
    assert len({*tokens, *known}) == 300 * 4


def test_the_seed_decides(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    texts = [study(first).read_text(), study(again).read_text(), study(other, seed=1).read_text()]
    assert texts[0] == texts[1] != texts[2]
    assert (first / "study.html").read_text() == (again / "study.html").read_text()


def test_only_posts_that_all_answered_take_part(tmp_path: Path) -> None:
    replies = {system: dict(answers) for system, answers in REPLIES.items()}
    del replies[SYSTEMS[0]]["en-secret-0"]
    replies[SYSTEMS[1]]["en-secret-1"] = " \n"
    known = json.loads(study(tmp_path, 20, replies=replies).read_text())
    assert {post["id"] for post in known["posts"].values()} == {f"en-secret-{n}" for n in range(2, 6)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replies": {"only": POSTS}}, "at least two systems, not 1"),
        ({"replies": {}}, "at least two systems, not 0"),
        ({"number": 0}, "a study of 0 posts"),
        ({"language": "fr"}, "language 'fr': the page speaks en and zh"),
        ({"posts": {"other": "text"}}, "no post was answered by all of zebra-7b-sft, quokka-base, yak-grpo"),
        ({"posts": {}}, "no post was answered"),
    ],
)
def test_what_makes_no_study_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        study(tmp_path, **changes)
    assert not list(tmp_path.iterdir())


def test_the_key_of_another_study_is_not_lost(tmp_path: Path) -> None:
    key = study(tmp_path)
    assert study(tmp_path) == key
    before = key.read_text()
    with pytest.raises(ValueError, match=r"study\.key\.json is the key of another study"):
        study(tmp_path, seed=1)
    assert key.read_text() == before


NASTY = '</script><img src=x onerror="document.title=\'broken\'"><!-- <script> \u2028 @language@ "@study@" &amp; 🙃'


def test_texts_stay_texts(tmp_path: Path) -> None:
    replies = {system: dict.fromkeys(POSTS, NASTY + system[0]) for system in SYSTEMS}
    key = study(tmp_path, posts=dict.fromkeys(POSTS, NASTY), replies=replies)
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert {post["text"] for post in shown(key)["posts"]} == {NASTY}


# The results ----------------------------------------------------------------------------------------------------------


def test_the_score_by_hand(tmp_path: Path) -> None:
    key = study(tmp_path)
    # In fluency, the second rater swaps the first two everywhere; the third rater finishes one post only.
    first, second, third = result(key), result(key, "R2"), result(key, "R3", (3, 2, 1))
    for post in second["posts"]:
        ranks = post["ranks"]["fluency"]
        post["ranks"]["fluency"] = {token: {1: 2, 2: 1, 3: 3}[rank] for token, rank in ranks.items()}
    third["posts"][0]["ranks"]["comforting"] = dict.fromkeys(third["posts"][0]["order"][:1], 1)
    del third["posts"][1]["ranks"]["suggestion"]
    files = [saved(tmp_path, one, f"{one['rater']}.json") for one in (first, second, third)]
    found = score_study(key, files)
    assert (found.raters, found.posts, found.unfinished) == (3, 3, 2)
    # Two posts: the mean ranks of the systems are 9/8, 15/8, 3. The third post: (9 + 12)/12, (15 + 8)/12, (24 + 4)/12.
    ranks = {system: one.mean_rank.value for system, one in found.standings.items()}
    assert ranks == {SYSTEMS[0]: 1, SYSTEMS[1]: 2, SYSTEMS[2]: 3}
    fluency = {system: one.mean_rank.value for system, one in found.dimensions["fluency"].items()}
    # Ties of the first two; in the third post, with 1, 2, 3; 2, 1, 3; 3, 2, 1: sums 6, 5, 7.
    assert fluency == {
        SYSTEMS[0]: pytest.approx((1.5 + 1.5 + 2) / 3),
        SYSTEMS[1]: pytest.approx((1.5 + 1.5 + 1) / 3),
        SYSTEMS[2]: pytest.approx(3),
    }
    wins = [share.value for share in found.dimensions["fluency"][SYSTEMS[1]].win_at]
    assert wins == pytest.approx([(0.5 + 0.5 + 1) / 3, 1, 1])
    # W of two raters with 1, 2, 3 and 2, 1, 3: S = 6, 12 * 6 / (4 * 24) = 0.75; of the three: S = 2, 24 / 216.
    assert found.dimension_agreement["fluency"] == pytest.approx((0.75 + 0.75 + 24 / 216) / 3)
    # Comforting: two raters agree; with the third, sums are 5, 6, 7 and S is 2.
    assert found.dimension_agreement["comforting"] == pytest.approx((1 + 1 + 24 / 216) / 3)
    assert found.agreement == pytest.approx((1 + 1 + 24 / 216) / 3)


def test_one_rater_agrees_with_nobody(tmp_path: Path) -> None:
    key = study(tmp_path)
    found = score_study(key, [saved(tmp_path, result(key))])
    assert math.isnan(found.agreement)
    assert found.standings[SYSTEMS[0]].win_at[0].value == 1


def first_ranks(content: dict[str, Any]) -> dict[str, Any]:
    return content["posts"][0]["ranks"]["fluency"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: c.update(study="other"), "is of another study than"),
        (lambda c: c.update(rater="../x"), "is damaged: rater: String should match"),
        (lambda c: c.update(rater=""), "is damaged: rater"),
        (lambda c: c.update(note="hi"), "is damaged: note: Extra inputs"),
        (lambda c: c.pop("posts"), "is damaged: posts: Field required"),
        (lambda c: c["posts"].pop(), "does not hold each post of the study once"),
        (lambda c: c["posts"].append(c["posts"][0]), "does not hold each post of the study once"),
        (lambda c: c["posts"][0].update(post="ffff"), "does not hold each post of the study once"),
        (lambda c: c["posts"][0].update(seconds=-1), r"is damaged: posts\.0\.seconds"),
        (lambda c: c["posts"][0].update(seconds=math.nan), r"is damaged: posts\.0\.seconds"),
        (lambda c: c["posts"][0]["order"].pop(), "the order is not of its replies"),
        (lambda c: c["posts"][0]["ranks"].update(wit={}), "is damaged: posts.0.ranks.wit"),
        (lambda c: first_ranks(c).update(ffff=4), "fluency: unknown reply"),
        (lambda c: first_ranks(c).update(dict.fromkeys(first_ranks(c), 1)), "fluency: the ranks are not 1 to 3"),
        (lambda c: first_ranks(c).update(dict.fromkeys([*first_ranks(c)][:1], 4)), "the ranks are not 1 to 3"),
        (lambda c: first_ranks(c).update(dict.fromkeys(first_ranks(c), 1.5)), "is damaged"),
        (lambda c: first_ranks(c).update(dict.fromkeys(first_ranks(c), "1")), "is damaged"),
    ],
)
def test_files_that_do_not_count_are_named(tmp_path: Path, damage: Any, message: str) -> None:
    key = study(tmp_path)
    content = result(key)
    damage(content)
    path = saved(tmp_path, content, "odd.json")
    with pytest.raises(ValueError, match=message) as refusal:
        score_study(key, [saved(tmp_path, result(key, "R2")), path])
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_rater_counts_once(tmp_path: Path) -> None:
    key = study(tmp_path)
    files = [saved(tmp_path, result(key, "anna"), "1.json"), saved(tmp_path, result(key, "Anna"), "2.json")]
    with pytest.raises(ValueError, match=r"2\.json: rater Anna is in .*1\.json already"):
        score_study(key, files)
    with pytest.raises(ValueError, match=r"1\.json: rater anna is in .*1\.json already"):
        score_study(key, files[:1] * 2)


def test_nothing_finished_is_no_score(tmp_path: Path) -> None:
    key = study(tmp_path)
    content = result(key)
    for post in content["posts"]:
        post["ranks"] = {}
    with pytest.raises(ValueError, match="no rater finished a post"):
        score_study(key, [saved(tmp_path, content)])
    with pytest.raises(ValueError, match="no rater finished a post"):
        score_study(key, [])


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_broken_key_is_named(tmp_path: Path, damage: bytes) -> None:
    key = study(tmp_path)
    path = saved(tmp_path, result(key))
    key.write_bytes(damage)
    with pytest.raises(ValueError, match=r"study\.key\.json is damaged"):
        score_study(key, [path])


def test_a_key_whose_posts_differ_is_refused(tmp_path: Path) -> None:
    key = study(tmp_path)
    content = json.loads(key.read_text())
    next(iter(content["posts"].values()))["systems"].popitem()
    key.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="is damaged: posts differ in their systems"):
        score_study(key, [])


@pytest.fixture(scope="module")
def one_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(tmp_path_factory.mktemp("study"))


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 4) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(data=st.data())
def test_any_file_gives_a_score_or_one_line(one_study: Path, data: st.DataObject) -> None:
    content = result(one_study)
    for _ in range(data.draw(st.integers(1, 2))):
        spot: Any = content
        # Go down to any place and put anything there.
        while True:
            places = [*spot] if isinstance(spot, dict) else [*range(len(spot))]
            if not places:
                break
            place = data.draw(st.sampled_from(places))
            if not isinstance(spot[place], dict | list) or data.draw(st.integers(0, 3)) == 0:
                spot[place] = data.draw(_json)
                break
            spot = spot[place]
    path = saved(one_study.parent, content, "any.json")
    try:
        score_study(one_study, [path])
    except ValueError:
        with pytest.raises(ValueError, match=r"any\.json|no rater finished a post") as refusal:
            score_study(one_study, [path])
        assert "\n" not in str(refusal.value)
        assert len(str(refusal.value)) < 500


@settings(max_examples=100)
@given(content=st.binary(max_size=100) | _json.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_refused_in_one_line(one_study: Path, content: bytes) -> None:
    path = one_study.parent / "any.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"any\.json is damaged") as refusal:
        score_study(one_study, [path])
    assert "\n" not in str(refusal.value)


# The commands ---------------------------------------------------------------------------------------------------------


def evaluation(folder: Path) -> tuple[Path, Path]:
    """The folder of an evaluation of two systems, and the data that they answered."""
    texts = {"en": "My desk was moved to the corridor on Monday.", "zh": "星期一他们把我的桌子搬到了走廊里。"}
    examples = [
        Example(
            id=f"{language}-{n}",
            locale=language,
            topic="work",
            post=f"{texts[language]} {n}",
            answer=f"{texts[language]} {n + 10}",
            source="a test",
            licence="MIT",
        )
        for language, count in (("en", 4), ("zh", 2))
        for n in range(count)
    ]
    crisis = examples[0].model_copy(update={"id": "en-crisis", "post": "I am going to kill myself tonight."})
    write_examples(folder / "data.jsonl", [*examples, crisis])
    lines = [
        {
            "system": system,
            "spec": system,
            "seed": 0,
            "id": example.id,
            "text": "anything",
            "answer": f"{system[:2]} {example.answer}",
            "valid": True,
            "seconds_to_first_token": 0.1,
            "seconds_total": 0.2,
        }
        for system in SYSTEMS
        for example in (*examples, crisis)
    ]
    (folder / "run").mkdir()
    (folder / "run" / "replies.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "run", folder / "data.jsonl"


def command(*arguments: str | Path) -> Any:
    return CliRunner().invoke(study_app, [str(one) for one in arguments], env={"COLUMNS": "200"})


def test_make_takes_the_language_of_most_posts(tmp_path: Path) -> None:
    run, data = evaluation(tmp_path)
    page = tmp_path / "new" / "study.html"
    made = command("make", run, data, "--output", page)
    assert made.exit_code == 0, made.output
    known = json.loads((tmp_path / "new" / "study.key.json").read_text())
    assert known["language"] == "en"
    # The post of a person in acute danger is not shown.
    assert {post["id"] for post in known["posts"].values()} == {"en-0", "en-1", "en-2", "en-3"}
    assert "kill myself" not in page.read_text()


def test_make_in_chinese_with_the_counsellors_answers(tmp_path: Path) -> None:
    run, data = evaluation(tmp_path)
    page = tmp_path / "study.html"
    made = command("make", run, data, "--output", page, "--language", "zh", "--with-counsellor", "--number", "1")
    assert made.exit_code == 0, made.output
    (post,) = json.loads((tmp_path / "study.key.json").read_text())["posts"].values()
    assert set(post["systems"].values()) == {*SYSTEMS, "counsellor"}
    assert '<html lang="zh"' in page.read_text(encoding="utf-8")
    assert "counsellor" not in page.read_text(encoding="utf-8")


def test_make_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    run, data = evaluation(tmp_path)
    write_examples(tmp_path / "empty.jsonl", [])
    made = command("make", run, tmp_path / "empty.jsonl", "--output", tmp_path / "study.html")
    assert made.exit_code == 1
    assert "holds no reply to a post of" in made.stderr
    missing = command("make", tmp_path / "nowhere", data)
    assert missing.exit_code == 1
    assert "replies.jsonl" in missing.stderr
    assert len(missing.stderr.strip().splitlines()) == 1


def test_an_id_of_two_posts_is_refused(tmp_path: Path) -> None:
    run, data = evaluation(tmp_path)
    other = tmp_path / "other.jsonl"
    other.write_text(data.read_text(encoding="utf-8").replace("Monday", "Tuesday"), encoding="utf-8")
    made = command("make", run, data, other, "--output", tmp_path / "study.html")
    assert made.exit_code == 1
    assert "the id en-0 stands for two posts" in made.stderr


def test_score_shows_the_figures(tmp_path: Path) -> None:
    key = study(tmp_path)
    files = [saved(tmp_path, result(key, rater), f"{rater}.json") for rater in ("R1", "R2")]
    shown = command("score", key, *files)
    assert shown.exit_code == 0, shown.output
    for text in (*SYSTEMS, *DIMENSIONS, "Win@3", "2 raters, 3 posts, 0 left unfinished", "(Kendall's W): 1.00"):
        assert text in shown.stdout
    lines = shown.stdout.splitlines()
    assert any("zebra-7b-sft" in line and "1.00 (1.00–1.00)" in line and "100 % (100–100)" in line for line in lines)
    as_json = json.loads(command("score", key, *files[:1], "--json").stdout)
    assert as_json["agreement"] is None
    assert as_json["standings"]["quokka-base"]["mean_rank"] == {"value": 2, "low": 2, "high": 2}
    assert as_json["standings"]["quokka-base"]["win_at"][1]["value"] == 1


def test_score_names_a_file_that_does_not_count(tmp_path: Path) -> None:
    key = study(tmp_path)
    scored = command("score", key, saved(tmp_path, {"post": "private"}))
    assert scored.exit_code == 1
    assert "result.json is damaged" in scored.stderr
    assert "private" not in scored.output


# In a browser ---------------------------------------------------------------------------------------------------------

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright of requirements-dev.txt")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("needs an installed Chromium or Chrome")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab that must neither complain nor fetch anything but the page."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    yield page
    page.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "blob:"))] == []


def begin(tab: Page, key: Path, rater: str = "R-7") -> None:
    tab.goto((key.parent / "study.html").as_uri())
    tab.fill("#rater", rater)
    tab.keyboard.press("Enter")


def rank(tab: Page, dimension: str, order: list[int]) -> dict[str, int]:
    """Click the letters of a row in an order of places; the ranks by token."""
    buttons = tab.locator(f".dimension[data-name={dimension}] button")
    ranks = {}
    for number, place in enumerate(order, 1):
        buttons.nth(place).click()
        ranks[buttons.nth(place).get_attribute("data-token") or ""] = number
    return ranks


def save(tab: Page, folder: Path) -> Path:
    with tab.expect_download() as download:
        tab.click("#save")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_what_is_clicked_is_what_is_scored(tab: Page, tmp_path: Path) -> None:
    key = study(tmp_path)
    posts = [post["post"] for post in shown(key)["posts"]]
    begin(tab, key)
    clicked: dict[str, dict[str, dict[str, int]]] = {post: {} for post in posts}
    orders = [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]]
    for name, order in zip(DIMENSIONS, orders, strict=True):
        clicked[posts[0]][name] = rank(tab, name, order)
    assert tab.inner_text("#state") == "Finished"
    tab.click("#next")

    # The second post with the keyboard: space and enter on buttons, then letters within a row.
    rows = {name: tab.locator(f".dimension[data-name={name}]") for name in DIMENSIONS}
    tokens = [one.get_attribute("data-token") or "" for one in rows["fluency"].locator("button").all()]
    rows["fluency"].locator("button").first.focus()
    for key_press in ("Space", "Tab", "Enter", "Tab", "Space"):
        tab.keyboard.press(key_press)
    clicked[posts[1]]["fluency"] = {token: number for number, token in enumerate(tokens, 1)}
    rows["identification"].locator("button").first.focus()
    tab.keyboard.type("cab")
    clicked[posts[1]]["identification"] = {tokens[2]: 1, tokens[0]: 2, tokens[1]: 3}
    assert tab.inner_text("#state") == "Unfinished: 6 of 12 ranks"
    labels = [one.get_attribute("aria-label") for one in rows["identification"].locator("button").all()]
    assert labels == ["Reply A, rank 2", "Reply B, rank 3", "Reply C, rank 1"]

    # A reload loses nothing, and letters still stand for the same replies.
    texts = tab.locator(".reply .text").all_inner_texts()
    tab.reload()
    assert tab.inner_text("#place") == "Post 2 of 3"
    assert tab.locator(".reply .text").all_inner_texts() == texts
    assert tab.inner_text("#state") == "Unfinished: 6 of 12 ranks"

    # One that is pressed again is taken back with those after it.
    rank(tab, "comforting", [0, 1, 2])
    rank(tab, "comforting", [1])
    assert tab.locator(".dimension[data-name=comforting] [aria-pressed=true]").count() == 1
    first = tab.locator(".dimension[data-name=comforting] button").first.get_attribute("data-token") or ""
    clicked[posts[1]]["comforting"] = {first: 1} | {
        token: number + 1 for token, number in rank(tab, "comforting", [2, 1]).items()
    }
    clicked[posts[1]]["suggestion"] = rank(tab, "suggestion", [1, 0, 2])

    # The third post stays unfinished, which the end says.
    tab.click("#next")
    clicked[posts[2]] = {"fluency": rank(tab, "fluency", [1]), "identification": {}, "comforting": {}, "suggestion": {}}
    tab.click("#next")
    assert "One post is unfinished" in tab.inner_text("main")
    assert tab.locator(".list button").all_inner_texts() == ["3"]

    path = save(tab, tmp_path)
    content = json.loads(path.read_text())
    assert path.name == f"{content['study']}-R-7.json"
    assert {post["post"]: post["ranks"] for post in content["posts"]} == clicked
    assert content["posts"][1]["order"] == tokens
    assert all(0 < post["seconds"] < 100 for post in content["posts"][:2])
    kept = str(tab.evaluate("JSON.stringify(localStorage)"))
    for text in (*POSTS.values(), *(text for answers in REPLIES.values() for text in answers.values())):
        assert text not in kept
        assert text not in path.read_text()

    found = score_study(key, [path])
    assert (found.raters, found.posts, found.unfinished) == (1, 2, 1)
    hidden = json.loads(key.read_text())["posts"]
    for name in DIMENSIONS:
        for system in SYSTEMS:
            ranks = [
                clicked[post][name][token]
                for post in posts[:2]
                for token, own in hidden[post]["systems"].items()
                if own == system
            ]
            assert found.dimensions[name][system].mean_rank.value == sum(ranks) / 2


def test_the_browser_deals_the_letters_anew(browser: Browser, tmp_path: Path) -> None:
    key = study(tmp_path, 6)
    dealt = set()
    for rater in range(5):
        tab = browser.new_context().new_page()
        begin(tab, key, f"R{rater}")
        for _ in range(6):
            tab.click("#next")
        posts = json.loads(save(tab, tmp_path).read_text())["posts"]
        dealt.add(json.dumps([post["order"] for post in posts]))
        tab.context.close()
    # Two of five would be dealt alike once in 4,665 runs.
    assert len(dealt) == 5


def test_the_page_shows_any_text_as_it_is(tab: Page, tmp_path: Path) -> None:
    replies = {system: dict.fromkeys(POSTS, NASTY + system[0]) for system in SYSTEMS}
    key = study(tmp_path, posts=dict.fromkeys(POSTS, NASTY), replies=replies)
    begin(tab, key)
    assert tab.locator(".post .text").text_content() == NASTY
    assert sorted(tab.locator(".reply .text").all_text_contents()) == [NASTY + letter for letter in "qyz"]
    assert tab.locator("main img").count() == 0
    assert tab.title() == "Ranking replies"


def test_a_rater_needs_a_code_and_can_forget_it(tab: Page, tmp_path: Path) -> None:
    key = study(tmp_path, language="zh")
    begin(tab, key, "two words")
    assert tab.locator("#rater").is_visible()
    tab.fill("#rater", "R_1")
    tab.keyboard.press("Enter")
    assert tab.inner_text("#place") == "第 1 个帖子，共 3 个"
    rank(tab, "fluency", [0])
    tab.click("#back")
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.click(".quiet")
    assert tab.input_value("#rater") == ""
    assert tab.locator(".quiet").count() == 0
    tab.reload()
    assert tab.locator("#rater").is_visible()
    assert "R_1" not in str(tab.evaluate("JSON.stringify(localStorage)"))
