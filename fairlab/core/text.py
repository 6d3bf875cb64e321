"""Tables as text."""


def markdown_table(header: list[str], lines: list[list[str]]) -> str:
    """Return rows of cells as a Markdown table whose columns also line up as plain text."""
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in [header, rule, *lines]
    )
