"""Random numbers with an address: who, what for, when.

The number of one patient, purpose and time is always the same for a seed, whoever else is asked about and whatever was asked
before. So two strategies for the same people differ only where they act (common random numbers). The address is the counter of
the Philox generator (Salmon et al., SC 2011), its key comes from seed and purpose.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

LANES = 4  # a counter of Philox 4x64 gives four numbers: patients 0 to 3 share one
WORD = 1 << 64


def uniform(seed: int, purpose: str, patient: NDArray[Any], time: int = 0) -> NDArray[np.float64]:
    """Numbers between 0 and 1 (never 0 or 1), one for each patient, of `purpose` at `time` (any whole number, such as a day).

    Patients are numbered from 0; what is drawn takes time with the range of the numbers. Raises ValueError for a negative one.
    """
    patient = np.asarray(patient, np.int64)
    if not patient.size:
        return np.empty(patient.shape)
    low, high = int(patient.min()), int(patient.max())
    if low < 0:
        raise ValueError(f"patient {low}: patients are numbered from 0")
    begin = low // LANES
    bits = np.random.Philox(key=_key(seed, purpose), counter=_counter(begin, time, 0))
    raw = np.asarray(bits.random_raw(high - begin * LANES + 1), np.uint64)
    return (raw[patient - begin * LANES] >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54


def normal(seed: int, purpose: str, patient: NDArray[Any], time: int = 0) -> NDArray[np.float64]:
    """Standard normal numbers with the same address."""
    return ndtri(uniform(seed, purpose, patient, time))


def stream(seed: int, purpose: str, patient: int, time: int = 0) -> np.random.Generator:
    """A generator of this patient's own, where it is not known beforehand how many numbers are needed."""
    return np.random.Generator(np.random.Philox(key=_key(seed, purpose), counter=_counter(0, time, patient + 1)))


def _key(seed: int, purpose: str) -> int:
    return int.from_bytes(sha256(f"{seed}\0{purpose}".encode()).digest()[:16])


def _counter(first: int, time: int, own: int) -> int:
    """Three words: where a draw begins, the time, and whose stream it is (0: everyone's). Philox counts up the first."""
    return first + time % WORD * WORD + own * WORD**2
