"""How well a metrifier predicts its classifier's error on images of held-out sources."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.distortions import FAMILIES
from gada.errors import DataError
from gada.experiments.metrifier.error_set import ErrorSet, build_error_set
from gada.experiments.metrifier.fit import read_settings
from gada.experiments.metrifier.predictors import BOTH, ESTIMATES, METRIFIER, SOFTMAX, predictions
from gada.experiments.metrifier.report import write_page
from gada.io.checkpoints import BEST, ENDED
from gada.io.records import RESULTS, Row, commit, machine, write_rows
from gada.metrics.classification import accuracy_kept, binomial_interval, expected_calibration_error, risk_coverage
from gada.metrics.correlation import ALL, defined, lcc, srocc
from gada.reports.ladders import NONE
from gada.settings import as_plain

REJECTED = (0.1, 0.3, 0.5)
RESAMPLES = 400
NO_LEAD: Row = {"lead": None, "lead_low": None, "lead_high": None}
Table = NDArray[np.float64]


def evaluate_metrifier(
    folder: Path, evaluators: Sequence[str] = ("bundled",), device: str = "auto", jobs: int | None = None
) -> list[Row]:
    """Compare a metrifier and the baselines with the true error on the test sources.

    Writes `results.jsonl`, `levels.png`, `reliability.png`, `risk.png` and `report.html` to the run directory.

    Args:
        folder: the run directory of a finished `gada metrify fit`.
        evaluators: the evaluators of quality that stand beside it.
        device: where to run networks.
        jobs: processes that distort.

    Raises:
        ConfigError: if an evaluator does not exist.
        DataError: if the folder holds no finished run, or its images are missing.
    """
    settings = read_settings(folder)
    if not (folder / ENDED).is_file():
        raise DataError(f"the training in {folder} is not finished; call `gada metrify fit --run {folder}` again.")
    errors = build_error_set(settings, folder, device, jobs)
    predicted, named = predictions(errors, folder / BEST, evaluators, device)
    true, wrong = errors.errors[errors.sources("test")], errors.wrong[errors.sources("test")]
    origin = {
        "dataset": errors.distorted.images.title,
        "classifier": errors.name,
        "error": errors.kind,
        "sources": len(true),
        "steps": len(errors.steps),
        "trained_on": len(errors.split.train),
        "training_steps": settings.steps,
        "seed": settings.seed,
        "machine": machine(),
        "commit": commit(),
    }
    rows = [row for name in predicted for row in rows_of(name, predicted, true, wrong, errors)]
    rows[0] |= of_names(named, [step.family or NONE for step in errors.steps])
    rows = [{**row, **origin} for row in rows]
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
    if name == BOTH:
        gain = lead(predicted, predictions[SOFTMAX], true)
        whole |= {key.replace("lead", "gain"): value for key, value in gain.items()}
    whole |= {f"kept_{fraction:g}": accuracy_kept(flat, flat_wrong, fraction) for fraction in REJECTED}
    rows = [whole]
    for family in dict.fromkeys(family for family in families if family):
        chosen = [at for at, one in enumerate(families) if one == family]
        found = correlations(predicted[:, chosen], true[:, chosen])
        row: Row = {"predictor": name, "distortion": family, "n": len(true) * len(chosen), **found}
        if name in ESTIMATES:
            row |= of_levels(family, predicted, true, [0, *chosen])
        rows.append(row)
    return rows


def of_levels(family: str, predicted: Table, true: Table, chosen: Sequence[int]) -> Row:
    """Return mean predicted and true error along a ladder, from the undistorted images to the strongest level."""
    title, parameter = FAMILIES[family].title, FAMILIES[family].parameter
    means = {"predicted_errors": predicted[:, chosen].mean(axis=0), "true_errors": true[:, chosen].mean(axis=0)}
    return {"title": title, "parameter": parameter, **{name: values.tolist() for name, values in means.items()}}


def of_names(named: NDArray[np.str_], families: Sequence[str]) -> Row:
    """Return how often the metrifier names the distortion that is there, with its interval, and what it says instead.

    Args:
        named: the distortion it names, (N, T).
        families: the one that is there, at each step (T).
    """
    right = named == np.array(families)
    low, high = binomial_interval(int(right.sum()), right.size)
    names = list(dict.fromkeys(families))
    confused = {
        one: {other: float((named[:, [one == at for at in families]] == other).mean()) for other in names}
        for one in names
    }
    return {"named_top1": float(right.mean()), "named_low": low, "named_high": high, "confusion": confused}


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
