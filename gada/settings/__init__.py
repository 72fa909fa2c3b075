"""Every setting of the program, as frozen dataclasses by verb; imports nothing heavy.

A field that is `None` takes the value of the chosen preset (`paper` or `gada`, see `PRESETS`), so that a config
file states only what it changes.
"""

from gada.settings.checks import check, check_seed
from gada.settings.classifiers import ImageSettings, InputSettings, Layout
from gada.settings.classify import ClassifierSettings, ClassifyDataSettings
from gada.settings.data import DataSettings, Format, SplitSettings
from gada.settings.metrify import MetrifierSettings
from gada.settings.networks import LossSettings, ModelSettings
from gada.settings.plain import as_plain, changed, from_plain
from gada.settings.study import Variant
from gada.settings.training import (
    PRESETS,
    STAGES,
    EvaluationSettings,
    Preset,
    Settings,
    Stage,
    TrainingSettings,
    resolve,
)

__all__ = [
    "PRESETS",
    "STAGES",
    "ClassifierSettings",
    "ClassifyDataSettings",
    "DataSettings",
    "EvaluationSettings",
    "Format",
    "ImageSettings",
    "InputSettings",
    "Layout",
    "LossSettings",
    "MetrifierSettings",
    "ModelSettings",
    "Preset",
    "Settings",
    "SplitSettings",
    "Stage",
    "TrainingSettings",
    "Variant",
    "as_plain",
    "changed",
    "check",
    "check_seed",
    "from_plain",
    "resolve",
]
