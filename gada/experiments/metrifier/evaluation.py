"""How well a metrifier predicts its classifier's error on images of held-out sources."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.errors import DataError
from gada.experiments.metrifier.error_set import ErrorSet, build_error_set
from gada.experiments.metrifier.fit import read_settings
from gada.experiments.metrifier.predictors import ESTIMATES, METRIFIER, predictions
from gada.io.checkpoints import BEST, ENDED
from gada.io.files import write_bytes, write_text
from gada.io.records import RESULTS, Row, commit, environment, machine, read_results, write_rows
from gada.metrics.classification import accuracy_kept, expected_calibration_error, risk_coverage
from gada.metrics.correlation import ALL, UndefinedError, lcc, srocc
from gada.reports.canvas import png
from gada.reports.layout import render
from gada.reports.markdown import replace_block
from gada.reports.page import Figure, Headline, Section, page
from gada.reports.predictors import distortions_table, predictors_table, reliability_figure, risk_figure
from gada.runs.comparison import spanned
from gada.settings import as_plain

REJECTED = (0.1, 0.3, 0.5)
RESAMPLES = 400
NO_LEAD: Row = {"lead": None, "lead_low": None, "lead_high": None}
Table = NDArray[np.float64]


def evaluate_metrifier(
    folder: Path, evaluator: str = "bundled", device: str = "auto", jobs: int | None = None
) -> list[Row]:
    """Compare a metrifier and the baselines with the true error on the test sources.

    Writes `results.jsonl`, `reliability.png`, `risk.png` and `report.html` to the run directory.

    Args:
        folder: the run directory of a finished `gada metrify fit`.
        evaluator: the evaluator of quality that stands beside it.
        device: where to run networks.
        jobs: processes that distort.

    Raises:
        ConfigError: if the evaluator does not exist.
        DataError: if the folder holds no finished run, or its images are missing.
    """
    settings = read_settings(folder)
    if not (folder / ENDED).is_file():
        raise DataError(f"the training in {folder} is not finished; call `gada metrify fit --run {folder}` again.")
    errors = build_error_set(settings, folder, device, jobs)
    predicted = predictions(errors, folder / BEST, evaluator, device)
    true, wrong = errors.errors[errors.sources("test")], errors.wrong[errors.sources("test")]
    origin = {
        "dataset": errors.distorted.images.title,
        "classifier": errors.classifier.name,
        "error": errors.kind,
        "sources": len(true),
        "steps": len(errors.steps),
        "trained_on": len(errors.split.train),
        "training_steps": settings.steps,
        "seed": settings.seed,
        "machine": machine(),
        "commit": commit(),
    }
    rows = [{**row, **origin} for name in predicted for row in rows_of(name, predicted, true, wrong, errors)]
    write_rows(folder / RESULTS, rows)
    write_page(folder, predicted, true, wrong, rows, as_plain(settings))
    return rows


def rows_of(name: str, predictions: dict[str, Table], true: Table, wrong: Table, errors: ErrorSet) -> list[Row]:
    """Return a predictor's metrics over all images, and its correlations on each distortion."""
    predicted, families = predictions[name], [step.family for step in errors.steps]
    flat, flat_wrong = predicted.ravel(), wrong.ravel()
    whole: Row = {"predictor": name, "distortion": ALL, "n": true.size, **correlations(predicted, true)}
    calibration = expected_calibration_error(flat.clip(0, 1), true.ravel()) if name in ESTIMATES else None
    whole |= {
        "srocc_within": mean_srocc(along_ladders(predicted, families), along_ladders(true, families)),
        "srocc_over": mean_srocc(predicted.T, true.T),
        "calibration": calibration,
        "risk": float(risk_coverage(flat, flat_wrong)[1].mean()),
        "accuracy": float(1 - wrong.mean()),
    }
    whole |= lead(predictions[METRIFIER], predicted, true) if name != METRIFIER else NO_LEAD
    whole |= {f"kept_{fraction:g}": accuracy_kept(flat, flat_wrong, fraction) for fraction in REJECTED}
    rows = [whole]
    for family in dict.fromkeys(family for family in families if family):
        chosen = [at for at, one in enumerate(families) if one == family]
        found = correlations(predicted[:, chosen], true[:, chosen])
        rows.append({"predictor": name, "distortion": family, "n": len(true) * len(chosen), **found})
    return rows


def lead(metrifier: Table, other: Table, true: Table) -> Row:
    """Return how much higher the metrifier's SROCC is, with a 95 % interval: percentile bootstrap over the sources.

    Images of one source are drawn together, for they are alike. None where one of the two is undefined.
    """
    random = np.random.default_rng(0)
    drawn = [np.arange(len(true)), *random.integers(len(true), size=(RESAMPLES, len(true)))]
    both = [[defined(srocc, one[i].ravel(), true[i].ravel()) for one in (metrifier, other)] for i in drawn]
    found = [None if mine is None or its is None else mine - its for mine, its in both]
    again = [value for value in found[1:] if value is not None]
    if found[0] is None or not again:
        return NO_LEAD
    low, high = np.percentile(again, [2.5, 97.5])
    return {"lead": found[0], "lead_low": float(low), "lead_high": float(high)}


def correlations(predicted: Table, true: Table) -> Row:
    """Return SROCC and LCC over all images of two tables, None where undefined."""
    return {metric.__name__: defined(metric, predicted.ravel(), true.ravel()) for metric in (srocc, lcc)}


def defined(metric: Callable[[Table, Table], float], predicted: Table, true: Table) -> float | None:
    """Return a correlation, None where it is undefined."""
    try:
        return metric(predicted, true)
    except UndefinedError:
        return None


def along_ladders(values: Table, families: Sequence[str]) -> Iterable[Table]:
    """Yield each image's values along each ladder, from undistorted to strongest."""
    for family in dict.fromkeys(family for family in families if family):
        chosen = [at for at, one in enumerate(families) if one in ("", family)]
        yield from values[:, chosen]


def mean_srocc(predicted: Iterable[Table], true: Iterable[Table]) -> float | None:
    """Return the mean SROCC of pairs of vectors; a constant prediction counts as 0, a constant truth is left out."""
    found = []
    for x, y in zip(predicted, true, strict=True):
        if np.ptp(y) > 1e-9:
            found.append(defined(srocc, x, y) or 0.0)
    return float(np.mean(found)) if found else None


def write_page(
    folder: Path, predicted: dict[str, Table], true: Table, wrong: Table, rows: list[Row], configuration: Row
) -> None:
    """Write the two plots and the page."""
    curves = {name: risk_coverage(values.ravel(), wrong.ravel()) for name, values in predicted.items()}
    estimates = {name: values.ravel() for name, values in predicted.items() if name in ESTIMATES}
    risk = risk_figure(curves, "Risk of the images that are kept")
    reliability = reliability_figure(estimates, true.ravel(), "Calibration")
    write_bytes(folder / "risk.png", png(risk))
    write_bytes(folder / "reliability.png", png(reliability))
    pictures = [
        Figure(
            risk,
            "Fraction of wrong decisions among the images that are kept when the worst-predicted are rejected.",
            "Lines of risk against coverage, one for each predictor.",
        ),
        Figure(
            reliability,
            "Mean true error of the images in each bin of predicted error; on the diagonal a prediction is exact.",
            "Lines of true against predicted error, one for each predictor that estimates the error.",
        ),
    ]
    sections = [
        Section("Results", tables=[predictors_table(rows), distortions_table(rows)], figures=pictures),
        Section("Configuration", listing=configuration),
        Section("Environment", listing=environment()),
    ]
    whole = [row for row in rows if row["distortion"] == ALL]
    title = f"Metrifier of {rows[0]['classifier']} on {rows[0]['dataset']}"
    summary = [f"All results are over {rows[0]['sources']} held-out source images, at every step."]
    write_text(folder / "report.html", page(title, summary, sections, headline=headline(whole)))


def headline(rows: Sequence[Row]) -> Headline | None:
    """Return how well the metrifier orders images by their true error, and whether another predictor does as well."""
    own, *others = rows
    if own["srocc"] is None:
        return None
    meaning = (
        f"of predicted and true error ({own['error']}), over {own['sources']} held-out images at {own['steps']} steps; "
        "1 is their true order, 0 is chance."
    )
    rival = max((row for row in others if row["lead"] is not None), key=lambda row: row["srocc"], default=None)
    if rival is None:
        return Headline(f"SROCC {own['srocc']:.3f}", meaning)
    low, high = rival["lead_low"], rival["lead_high"]
    verdict = "Better than" if low > 0 else "Worse than" if high < 0 else "These images cannot tell it from"
    change = f"{rival['lead']:+.3f}{spanned([low, high], '+.3f')}"
    return Headline(f"SROCC {own['srocc']:.3f}", meaning, f"{verdict} the best other, {rival['predictor']}: {change}.")


def put_results(results: Path, into: Path) -> None:
    """Put kept result rows into the block "gada metrify evaluate RESULTS" of a Markdown file."""
    rows = read_results([results], "metrify evaluate")
    text = "\n".join(render(table, "markdown") for table in (predictors_table(rows), distortions_table(rows)))
    replace_block(into, block_of(results), text)


def block_of(results: Path) -> str:
    """Return the name of the Markdown block of some result rows."""
    return f"gada metrify evaluate {results.as_posix()}"
