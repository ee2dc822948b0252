"""The error of exporters that have no graph for a file; apart from the readers, so that it costs no dependency."""


class UnsupportedModelError(ValueError):
    """The file uses something that the converter does not know; the message names it."""
