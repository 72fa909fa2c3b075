"""IQA-LS: classifiers trained by every strategy, and tested on pristine and distorted images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gada.data.labelled import LabelledImages
from gada.data.mixtures import LEVELS, STRATEGIES, Mixture, Strategy
from gada.errors import ConfigError
from gada.experiments.iqa_ls.images import load_images, resize_of
from gada.experiments.iqa_ls.report import write_report
from gada.experiments.iqa_ls.testing import OF_A_GENERATOR, TestSets
from gada.experiments.iqa_ls.versions import Versions, generator_of
from gada.io.checkpoints import find_checkpoint
from gada.io.files import sha256_of
from gada.io.records import RESULTS, Row, commit, read_rows, write_rows
from gada.losses.label_distribution import load_transform
from gada.models.classifier import TABLE_1
from gada.scoring.classifier_sources import load_trained
from gada.scoring.torch_backend import choose_device
from gada.settings import ClassifierSettings, ClassifyDataSettings, as_plain, check_seed
from gada.training.classifier import FINISHED, check_training, train_classifier
from gada.training.loggers import Mode, RunLogger, run_loggers


class Fit:
    """The trainings of one run; all that can be wrong with them is found before the first.

    Args:
        names: strategies, of `STRATEGIES`.
        seeds: seeds of weights and of what is drawn; each strategy is trained with each.
        run: receives a folder for each training, and `results.jsonl`.
        data: the images.
        training: how to train.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ConfigError: if settings do not fit, or the run holds one of the trainings with other settings.
        DataError: if images are missing or cannot be used.
    """

    def __init__(
        self,
        names: Sequence[str],
        seeds: Sequence[int],
        run: Path,
        data: ClassifyDataSettings,
        training: ClassifierSettings,
        device: str = "auto",
    ) -> None:
        if unknown := [name for name in names if name not in STRATEGIES]:
            raise ConfigError(f"strategy {unknown[0]!r} is unknown; known are {', '.join(STRATEGIES)}.")
        if not names or not seeds:
            raise ConfigError("strategies and seeds are empty, or one of them is; name one of each or more.")
        for seed in seeds:
            check_seed(seed)
        if training.network == TABLE_1 and data.size != 32:
            raise ConfigError(
                f"data.size is {data.size}, but the paper's network takes 32 x 32 pixels; give 32, or a "
                "--training.network."
            )
        strategies = [STRATEGIES[name] for name in names]
        mixed = any(one.families or one.generated for one in strategies)
        if len(training.fractions) > 1 + LEVELS and mixed:
            given = len(training.fractions)
            raise ConfigError(f"training.fractions names {given} levels, but there are {1 + LEVELS}, 0 to {LEVELS}.")
        self.transform = load_transform(training.transform)
        self.run, self.training, self.device = run, training, choose_device(device)
        self.settings = {"strategies": names, "seeds": seeds, "data": as_plain(data), "training": as_plain(training)}
        images = load_images(data, "train")
        self.cards = {
            (one, seed): training_card(one, seed, data, training, images) for seed in seeds for one in strategies
        }
        for chosen, card in self.cards.items():
            check_training(self.folder(*chosen), card)
        self.versions = Versions(images, data.size, training, data.seed)
        self.tests = TestSets(data, complete=True)

    def rows(self, wandb: Mode = "auto") -> list[Row]:
        """Train and test what an earlier call has not; return the result rows of the run.

        Args:
            wandb: whether and how to log to Weights & Biases.

        Raises:
            DivergedError: if a loss is not finite.
        """
        finished = all(self.is_tested(*one) and (self.folder(*one) / FINISHED).is_file() for one in self.cards)
        with run_loggers(self.run, wandb, self.settings, finished=finished) as loggers:
            for strategy, seed in self.cards:
                self.train(strategy, seed, loggers)
            rows = read_rows(self.run / RESULTS)
            figures = write_report(self.run, rows, self.tests, self.settings)
            for logger in loggers:
                logger.log_rows("results", [row for row in rows if "set" in row])
                for path in figures:
                    logger.log_image(path.stem, [str(path)])
                logger.keep("classifiers", "model", [self.folder(*one) / FINISHED for one in self.cards])
        return rows

    def folder(self, strategy: Strategy, seed: int) -> Path:
        """Return the folder of a training."""
        return self.run / f"strategy-{strategy.name}" / f"seed-{seed}"

    def train(self, strategy: Strategy, seed: int, loggers: Sequence[RunLogger]) -> None:
        """Train one classifier and keep the rows of its test, where that is not done yet."""
        folder, card, versions = self.folder(strategy, seed), self.cards[strategy, seed], self.versions
        if not (folder / FINISHED).is_file():
            self.keep(strategy, seed, [])  # those of a training whose folder was deleted
            settings = self.training
            mixture = Mixture(versions.of(strategy), versions.labels, settings.fractions, seed, settings.batch_size)
            transform = self.transform if strategy.labels == "iqa-ls" else "identity"
            classes = len(card["classes"])
            train_classifier(mixture, classes, settings, folder, card, seed, transform, self.device, loggers)
        if not self.is_tested(strategy, seed):
            trained = load_trained(folder / FINISHED, self.training.network, self.device)
            self.keep(strategy, seed, self.tests.rows(trained))

    def is_tested(self, strategy: Strategy, seed: int) -> bool:
        """Return whether the run has the rows of a training on these test sets."""
        rows = [row for row in read_rows(self.run / RESULTS) if (row["strategy"], row["seed"]) == (strategy.name, seed)]
        return len(rows) == len(self.tests.steps) + len(self.tests.samples()) and all(
            row["n"] == len(self.tests.labels) and row.get("test") == self.tests.digest for row in rows
        )

    def keep(self, strategy: Strategy, seed: int, rows: Sequence[Row]) -> None:
        """Put rows into the run's results in place of those of a training."""
        before = read_rows(self.run / RESULTS)
        others = [row for row in before if (row["strategy"], row["seed"]) != (strategy.name, seed)]
        if rows or len(others) < len(before):
            write_rows(self.run / RESULTS, [*others, *rows])


def training_card(
    strategy: Strategy, seed: int, data: ClassifyDataSettings, training: ClassifierSettings, images: LabelledImages
) -> dict[str, Any]:
    """Return the card of a classifier's checkpoint."""
    settings, classes = as_plain(training), list(images.class_names)
    if strategy.generated:
        settings["generator"] = sha256_of(generator_of(training)[0])[:12]
    else:
        settings = {name: value for name, value in settings.items() if name not in OF_A_GENERATOR}
    if strategy.predicted or training.quality == "evaluator":
        settings["evaluator"] = sha256_of(find_checkpoint(training.evaluator, "evaluator"))[:12]
    of_data = {f"data.{name}": value for name, value in as_plain(data).items()}
    of_data |= {"data.images": images.fingerprint[:12], "data.classes": classes}
    return {
        "name": f"strategy {strategy.name}, seed {seed}",
        "strategy": strategy.name,
        "labels": strategy.labels,
        "seed": seed,
        "network": training.network,
        "size": data.size,
        "resize": resize_of(images, data.size),
        "classes": classes,
        "dataset": images.title,
        "train_images": len(images),
        "settings": {**of_data, **settings, "seed": seed, "strategy": strategy.name, "data_seed": data.seed},
        "commit": commit(),
    }
