"""The stress tests of `make stress` in a short form; see docs/stress.md."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stress import alone, disk, guided, hostile_files, hostile_requests, images, scores, training
from stress.__main__ import STRESS_TESTS, table

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and later, under threads


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the stress tests of training share: their uninterrupted runs are made once."""
    return tmp_path_factory.mktemp("stress")


def held(row: dict[str, Any]) -> None:
    assert row["held"], row["examples"] or row["measured"]


def test_mutated_images(tmp_path: Path) -> None:
    held(images.mutated_images(500, tmp_path, seed=1))


def test_a_crash_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "read_image", lambda content: 1 // 0)
    row = images.mutated_images(3, tmp_path)
    assert row["failures"] == 3
    assert not row["held"]


@pytest.mark.skipif(not guided.HAS_ATHERIS, reason="atheris is not installed")
def test_guided_files(tmp_path: Path) -> None:
    held(guided.guided_files(100, tmp_path))


def test_files_of_strangers_are_read_or_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for reader, examples in guided.readers(tmp_path).values():
        for content in examples:
            assert not guided.refused(reader, content) or content.startswith(b"image,score")
        for _ in range(30):
            guided.refused(reader, images.mutated(examples, random))


@pytest.mark.slow
def test_bombs(tmp_path: Path) -> None:
    held(images.bombs(13, tmp_path))


def test_headers_that_lie(tmp_path: Path) -> None:
    for name, content in images.liars():
        assert images.outcome(content) == "refused", name


def test_kills_at_checkpoints(folder: Path) -> None:
    held(training.kills_at_checkpoints(3, folder, workers=(0,)))


@pytest.mark.slow
def test_random_kills(folder: Path) -> None:
    held(training.random_kills(8, folder))


@pytest.mark.slow
def test_injected_nans(folder: Path) -> None:
    held(training.injected_nans(3, folder))


def test_the_same_seed_with_other_workers(folder: Path) -> None:
    held(training.same_seed(1, folder))


def test_full_disks(folder: Path) -> None:
    held(disk.full_disks(2, folder))


def test_malicious_files(tmp_path: Path) -> None:
    held(hostile_files.malicious_files(99, tmp_path / "hostile_files"))


def test_a_folder_with_bad_files(tmp_path: Path) -> None:
    held(scores.folder_with_bad_files(100, tmp_path))


def test_scores_in_batches_of_any_size(tmp_path: Path) -> None:
    held(scores.same_scores(2, tmp_path))


@pytest.mark.enable_socket
def test_hostile_requests(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    held(hostile_requests.hostile_requests(2 * len(hostile_requests.VISITS), tmp_path))


def test_every_verb_without_network_key_and_terminal(tmp_path: Path) -> None:
    held(alone.every_verb_alone(99, tmp_path))


def test_a_question_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "main", lambda _: len(input("key: ")))
    monkeypatch.setattr(alone, "commands", lambda _: [["score"]])
    row = alone.every_verb_alone(1, tmp_path)
    assert "score: exit 1 asks" in row["examples"][0]


def test_the_page_is_made_of_the_rows() -> None:
    rows = [json.loads(line) for line in (ROOT / "docs/results/stress.jsonl").read_text().splitlines()]
    assert table(rows).strip() in (ROOT / "docs/stress.md").read_text()
    assert {row["name"] for row in rows} <= set(STRESS_TESTS)
    for row in rows:
        assert row["held"], row["name"]
