"""Virtual patients: everything here is synthetic and raises hypotheses; none of it is evidence or advice."""

from .model import Model, read_model
from .stretch import Doses, Run, advance

__all__ = ["Doses", "Model", "Run", "advance", "read_model"]
