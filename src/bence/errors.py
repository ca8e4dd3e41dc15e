"""Every error Bence raises on purpose.

    BenceError
    ├── UsageError   the request is wrong: unknown name, missing file          (exit code 2)
    └── ChartError   the data are wrong in structure: no patients, duplicate   (exit code 1)

The registry adds AccessError and ConflictError (exit code 1): not allowed, and somebody else was first.
A message says what is wrong, where, what was expected, and the nearest right name.
A single bad cell is not an error: it is a row of `chart.rejected`.
"""


class BenceError(Exception):
    """What went wrong, where, what was expected, and the nearest right name.

    >>> print(UsageError("there is no code 'calcum'", expected="a catalogue code", nearest="calcium"))
    there is no code 'calcum'; expected a catalogue code; did you mean 'calcium'?
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", expected: str = "", nearest: str | None = None):
        self.what, self.where, self.expected, self.nearest = what, where, expected, nearest
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The whole message, as it is printed."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.expected:
            text += f"; expected {self.expected}"
        if self.nearest:
            text += f"; did you mean {self.nearest!r}?"
        return text


class UsageError(BenceError):
    """The request cannot be carried out as it was made."""

    exit_code = 2


class ChartError(BenceError):
    """The data cannot be read as a chart, whatever the single cells say."""

    exit_code = 1
