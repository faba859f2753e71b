"""What editors ask: the language server's answers, worked out from checks of texts being typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.editor.shapes import ERROR, diagnostic_shape

if TYPE_CHECKING:
    from ibpc.language import Vocabulary

__all__ = ["ERROR", "diagnostic_shape", "serve"]


def serve(vocabulary: Vocabulary) -> None:
    """Speak the Language Server Protocol on stdin and stdout; ImportError without pygls."""
    from ibpc.editor.server import serve as answer

    answer(vocabulary)
