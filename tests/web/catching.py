"""What the service writes into its log while something is done."""

import logging
from contextlib import contextmanager

from bence.web.logs import LOG


@contextmanager
def caught(read):
    """The records written inside, each as `read` gives it."""
    lines = []
    catcher = logging.Handler()
    catcher.emit = lambda record: lines.append(read(record))
    LOG.addHandler(catcher)
    LOG.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        LOG.removeHandler(catcher)
