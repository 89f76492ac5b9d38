"""A rules file as a run takes it: its text, its name, and what one command needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from transforms.core.errors import ConfigurationError, reason_of
from transforms.hot_tier.table.runs import MaintenanceRun
from transforms.retention.rules import RulesFile
from transforms.retention.rules_file import load_rules


@dataclass(frozen=True)
class Rules:
    """A rules file that was read.

    Attributes:
        name: The file's.
        text: Its content.
        section: Whose rules are meant: `rules` or `tiers`.
        file: These rules, and all holds.
    """

    name: str
    text: str
    section: str
    file: RulesFile

    @classmethod
    def read(cls, path: Path, section: str) -> Rules:
        """Read a file.

        Raises:
            ConfigurationError: it can't be read, or something in it is wrong; all mistakes with their places.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"--rules {path} can't be read: {reason_of(error)}", field="rules") from error
        return cls(str(path), text, section, load_rules(text, source=str(path), section=section))

    def new_run(self, kind: str, *, now: datetime | None) -> MaintenanceRun:
        """Return a run of these rules that begins now."""
        return MaintenanceRun.new(kind, now=now, rules=self.text, rules_file=self.name, rules_sha256=self.file.sha256)
