"""The query language (spec §7): text to tree, tree to expression."""

from transforms.query.compiler import columns_read, compile_query
from transforms.query.parser import parse
from transforms.query.syntax import Expr

__all__ = ["Expr", "columns_read", "compile_query", "parse"]
