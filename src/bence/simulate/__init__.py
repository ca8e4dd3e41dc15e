"""Virtual patients: everything here is synthetic and raises hypotheses; none of it is evidence or advice."""

from .model import Model, read_model
from .stretch import Doses, advance

__all__ = ["Doses", "Model", "advance", "read_model"]
