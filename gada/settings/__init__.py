"""Every setting of the program, as frozen dataclasses by verb; imports nothing heavy.

They are complete when constructed: every default is a value, that of the preset gada. The preset paper, a YAML file in
`presets/`, is read before the user's config.
"""

from gada.settings.checks import check, check_seed
from gada.settings.classifiers import ImageSettings, InputSettings, Layout
from gada.settings.classify import ClassifierSettings, ClassifyDataSettings, TestDataSettings
from gada.settings.data import DataSettings, Format, SplitSettings
from gada.settings.metrify import MetrifierSettings
from gada.settings.networks import LossSettings, ModelSettings
from gada.settings.plain import as_plain, changed, from_plain, preset_files, preset_settings, takes
from gada.settings.study import Variant
from gada.settings.training import (
    STAGES,
    EvaluationSettings,
    Preset,
    Settings,
    Stage,
    TrainingSettings,
)

__all__ = [
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
    "TestDataSettings",
    "TrainingSettings",
    "Variant",
    "as_plain",
    "changed",
    "check",
    "check_seed",
    "from_plain",
    "preset_files",
    "preset_settings",
    "takes",
]
