"""What editors ask: the language server's answers, worked out from checks of texts being typed."""

from __future__ import annotations

from ibpc.editor.shapes import ERROR, diagnostic_shape

__all__ = ["ERROR", "diagnostic_shape"]
