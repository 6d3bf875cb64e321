"""The command ``audit``: anyone's predictions, group by group."""
