"""Rules as a run takes them, of a file or of the tier: their text, its name, and what one command needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from transforms.core.errors import ConfigurationError, reason_of
from transforms.hot_tier.configuration.store import load_configuration, name_of_kept
from transforms.hot_tier.table.runs import MaintenanceRun
from transforms.retention.rules import RulesFile
from transforms.retention.rules_file import load_rules
from transforms.storage import TierStore


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A rules file that was read, or the one that the tier keeps.

    Attributes:
        name: The file's.
        text: Its content.
        section: Whose rules are meant: `rules` or `tiers`.
        file: These rules, and all holds.
        version: The version of the tier's configuration that they are from; None where a file was given.
    """

    name: str
    text: str
    section: str
    file: RulesFile
    version: int | None = None

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
        return cls.of_text(text, section, name=str(path))

    @classmethod
    def of_text(cls, text: str, section: str, *, name: str = "rules") -> Rules:
        """Check the text of a file.

        Raises:
            ConfigurationError: something in it is wrong; all mistakes with their places.
        """
        return cls(name=name, text=text, section=section, file=load_rules(text, source=name, section=section))

    @classmethod
    def of_tier(cls, tier: TierStore, section: str) -> Rules:
        """Return the rules that the tier keeps.

        Raises:
            ConfigurationError: it keeps none, or what it keeps is no longer valid.
            TierError: they can't be read.
        """
        configuration = load_configuration(tier)
        kept = configuration.rules
        if kept is None:
            raise ConfigurationError(
                f"hot tier {tier.uri} has no rules of its own: give --rules FILE, or set them for all runs with "
                "`rekindle rules set FILE`",
                field="rules",
            )
        source = name_of_kept(kept.file, configuration.version)
        file = load_rules(kept.text, source=source, section=section)
        return cls(name=kept.file, text=kept.text, section=section, file=file, version=configuration.version)

    def new_run(self, kind: str, *, now: datetime | None) -> MaintenanceRun:
        """Return a run of these rules that begins now."""
        return MaintenanceRun.new(
            kind,
            now=now,
            rules=self.text,
            rules_file=self.name,
            rules_sha256=self.file.sha256,
            rules_version=self.version,
        )
