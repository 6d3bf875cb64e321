"""Anyone's predictions, group by group: reading them, measuring them, and telling what was found."""

from fairlab.studies.audit.run import audit

__all__ = ["audit"]
