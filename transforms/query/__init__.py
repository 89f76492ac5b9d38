"""The query language (docs/query.md): text to tree, tree to expression.

The compiler brings Polars, which takes 0.1 s to import; so it comes when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transforms.query.parser import parse
from transforms.query.syntax import Expr

if TYPE_CHECKING:
    from transforms.query.compiler import columns_read, compile_query

__all__ = ["Expr", "columns_read", "compile_query", "parse"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from transforms.query import compiler

    return getattr(compiler, name)
