"""The settings in `nbgrader_config.py`, read without loading nbgrader, which takes seconds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from traitlets.config import Config, PyFileConfigLoader

from autograde.place import ROOT, CourseError


class CourseConfig:
    """Where things are, as `nbgrader_config.py` says."""

    def __init__(self, config_file: Path = ROOT / "nbgrader_config.py") -> None:
        if not config_file.is_file():
            raise CourseError(f"there is no {config_file.name} in {config_file.parent}; run this in a checkout")
        self.config: Config = PyFileConfigLoader(config_file.name, path=str(config_file.parent)).load_config()
        place = self.config.CourseDirectory
        self.root = Path(place.root)
        self.submitted = Path(place.submitted_directory)
        self.autograded = Path(place.autograded_directory)
        self.feedback = Path(place.feedback_directory)
        self.released = self.root / "release"
        self.folder = self.submitted.parent
        self.db_url = str(place.db_url)
        self.seals = Path(os.environ.get("COUNTERSIDE_SEALS", self.folder / "seals"))
        self.seal_key = Path(os.environ.get("COUNTERSIDE_SEAL_KEY", self.folder / "seal-key.pem"))

    def late_penalty(self) -> Callable[[str, float, float], float | None]:
        """Return nbgrader's plug-in for late submissions, which is loaded when the first one comes."""
        plugin: list[Any] = []

        def penalty(learner: str, score: float, seconds: float) -> float | None:
            if not plugin:
                from nbgrader.preprocessors import AssignLatePenalties

                step = AssignLatePenalties(config=self.config)
                step.init_plugin()
                plugin.append(step.plugin_inst)
            off: float | None = plugin[0].late_submission_penalty(learner, score, seconds)
            return off

        return penalty
