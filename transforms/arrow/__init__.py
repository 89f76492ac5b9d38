"""Arrow arrays: what pyarrow lacks for string views, and the conversions that all stages share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
"""One boolean a row."""
Indices = npt.NDArray[np.int64]
"""Row numbers from 0."""
