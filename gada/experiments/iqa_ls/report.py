"""The page of a run of classifiers: what IQA-LS gains over hard labels, tables, the paper's figures, sample images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gada.errors import ConfigError
from gada.experiments.iqa_ls.testing import TestSets
from gada.io.files import write_bytes, write_text
from gada.io.records import Row, environment
from gada.reports.contact_sheet import png_of
from gada.reports.iqa_ls import DISTORTED, PAIRS, described, published_beside, shown, strategies_of, tested
from gada.reports.iqa_ls_figures import calibration_curves, confidence_histograms, figure_1, figure_3, figure_4
from gada.reports.iqa_ls_tables import all_tables, gain, paired, samples_of
from gada.reports.page import Figure, Headline, Section, page
from gada.runs.comparison import spanned, told_apart
from gada.settings import ClassifyDataSettings, TestDataSettings, as_plain, from_plain

SHOWN_IN_FIGURE_4 = ("1", "2", "3")
CALIBRATION = ("calibration", "confidence")
SAMPLES = ("figure-1", "figure-4")  # show images of the database


def write_report(folder: Path, rows: Sequence[Row], tests: TestSets, settings: Mapping[str, Any]) -> list[Path]:
    """Write `report.html` of a run and its figures; return the files of the figures."""
    sets, figures = tested(rows), draw_figures(rows, tests)
    first, *others = all_tables(sets)
    samples = [figure for name, figure in figures.items() if name in SAMPLES]
    more = [figure for name, figure in figures.items() if name in CALIBRATION]
    third = [figure for name, figure in figures.items() if name not in (*SAMPLES, *CALIBRATION)]
    sections = [
        Section("Results", tables=[first], figures=third),
        Section("Differences, calibration, confidence", tables=others, figures=more, folded=True),
        *([Section("Sample images", figures=samples, shows_database=True)] if samples else []),
        Section("Configuration", listing=settings),
        Section("Environment", listing=environment()),
    ]
    for name, figure in figures.items():
        write_bytes(folder / f"{name}.png", figure.file)
    text = page(f"IQA-LS on {tests.title}", [described(sets)], sections, headline=headline(sets))
    write_text(folder / "report.html", text)
    return [folder / f"{name}.png" for name in figures]


def headline(rows: Sequence[Row]) -> Headline | None:
    """Return what IQA-LS gains on distorted images, by the mix of all three if it was trained; None without a pair."""
    there = set(strategies_of(rows))
    pair = next((pair for pair in (("8", "9"), *PAIRS) if set(pair) <= there), None)
    if pair is None:
        return None
    gains = paired(rows, pair[1], pair[0], list(DISTORTED.values()), "accuracy")
    if not len(gains):
        return None
    meaning = (
        f"accuracy on distorted test images: IQA-LS (strategy {pair[1]}) minus hard labels (strategy {pair[0]}) on the "
        "same training images."
    )
    found = gain(rows, pair[1], pair[0], list(DISTORTED.values()))
    if found is None:
        seeds = f"Mean and standard deviation over {len(gains)} seeds." if len(gains) > 1 else "One seed, no interval."
        return Headline(str(shown(gains, signed=True)), meaning, seeds)
    mean, low, high = found
    told = told_apart([low, high])
    return Headline(f"{mean:+.3f}", f"{meaning[:-1]}{spanned([low, high], '+.3f')}.", f"{told} hard labels.")


def draw_figures(rows: Sequence[Row], tests: TestSets) -> dict[str, Figure]:
    """Return the figures that result rows can fill, by the name of their file."""
    sets, found = tested(rows), {}
    ours = ", ours and published" if published_beside(sets) else ""
    found["figure-3"] = Figure(
        figure_3(sets),
        f"Accuracy by level of distortion with hard labels and IQA-LS{ours} (the paper's Figure 3).",
        "Lines of accuracy against distortion level, one panel for each pair of strategies and distortion.",
    )
    if all("bins" in row for row in sets):
        found["calibration"] = Figure(
            calibration_curves(sets),
            "Accuracy against confidence in the predicted class, pristine and by level of distortion.",
            "Calibration curves, one panel for each strategy; the diagonal is a calibrated classifier.",
        )
        found["confidence"] = Figure(
            confidence_histograms(sets),
            "Fraction of the test images by confidence in the predicted class.",
            "Histograms of confidence, one panel for each strategy.",
        )
    if samples := samples_of(rows):
        found |= sample_figures(samples, tests)
    return found


def sample_figures(samples: Sequence[Row], tests: TestSets) -> dict[str, Figure]:
    """Return Figure 1 of the first strategy, and Figure 4 of strategies 1 to 3, or of the first three there are."""
    strategies = list(dict.fromkeys(row["strategy"] for row in samples))
    of_first = [row for row in samples if row["strategy"] == strategies[0]]
    shown = [one for one in SHOWN_IN_FIGURE_4 if one in strategies] or strategies[:3]
    by_image = {row["sample"]: [one for one in samples if one["sample"] == row["sample"]] for row in of_first}
    images = {name: tests.versions(name) for name in by_image}
    fourth = [([one for one in ones if one["strategy"] in shown], images[name]) for name, ones in by_image.items()]
    return {
        "figure-1": Figure(
            png_of(figure_1([(row, images[row["sample"]]) for row in of_first])),
            f"Classes that strategy {strategies[0]} predicts, pristine and distorted (the paper's Figure 1).",
            "Grid of images with the predicted class below each.",
        ),
        "figure-4": Figure(
            png_of(figure_4(fourth)),
            f"Confidence of strategies {', '.join(shown)} in the true class along the blur (the paper's Figure 4).",
            "Grid of images at four levels of blur with confidences below each.",
        ),
    }


def tests_of(rows: Sequence[Row], given: TestDataSettings) -> TestSets:
    """Return the test sets of result rows.

    Raises:
        ConfigError: if the images are others.
    """
    chosen = {name: value for name, value in as_plain(given).items() if value is not None}
    tests = TestSets(from_plain(ClassifyDataSettings, chosen))
    if (other := next((row for row in rows if row.get("test", tests.digest) != tests.digest), None)) is not None:
        raise ConfigError(
            f"the rows are of other test images ({other['test']}) than {tests.title} ({tests.digest}); give theirs "
            "with --data.root, --data.layout and --data.test_per_class."
        )
    return tests
