"""The language server: the editor's questions in, answers out, over stdin and stdout.

Whatever an answer stumbles over is logged and answered with nothing: a server that dies takes the
editor's help with it.
Source: Language Server Protocol 3.17; pygls 2.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from ibpc import __version__
from ibpc.editor.completion import completions
from ibpc.editor.hover import hover
from ibpc.editor.names import meaning_at
from ibpc.editor.session import Session
from ibpc.editor.shapes import characters, diagnostic_shape, range_of
from ibpc.editor.symbols import symbols
from ibpc.errors import IbpcError
from ibpc.syntax import Source, format_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibpc.editor.symbols import Symbol
    from ibpc.errors import Span
    from ibpc.language import Vocabulary

PAUSE_S = 0.2
"""A text is checked when nothing was typed for so long."""

_SUGGESTED = re.compile(r"did you mean `([^`]+)`\?")


def serve(vocabulary: Vocabulary) -> None:
    """Answer until the editor says goodbye."""
    make_server(vocabulary).start_io()


def make_server(vocabulary: Vocabulary) -> LanguageServer:
    """The server with all that it can do."""
    server = LanguageServer("ibpc", __version__)
    talk = _Conversation(server, Session(vocabulary))
    signs = types.CompletionOptions(trigger_characters=[".", "=", "(", ":", " "])
    fixes = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    offered: dict[str, tuple[Callable[[Any], Any], Any]] = {
        types.TEXT_DOCUMENT_DID_OPEN: (talk.opened, None),
        types.TEXT_DOCUMENT_DID_CHANGE: (talk.changed, None),
        types.TEXT_DOCUMENT_DID_SAVE: (talk.saved, None),
        types.TEXT_DOCUMENT_DID_CLOSE: (talk.closed, None),
        types.TEXT_DOCUMENT_HOVER: (talk.hover, None),
        types.TEXT_DOCUMENT_DEFINITION: (talk.definition, None),
        types.TEXT_DOCUMENT_FORMATTING: (talk.formatting, None),
        types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (talk.symbols, None),
        types.TEXT_DOCUMENT_COMPLETION: (talk.completion, signs),
        types.TEXT_DOCUMENT_CODE_ACTION: (talk.fixes, fixes),
    }
    for method, (answer, options) in offered.items():
        server.feature(method, options)(talk.quietly(answer))
    return server


class _Conversation:
    """The methods of the protocol, over one session."""

    def __init__(self, server: LanguageServer, session: Session) -> None:
        self.server = server
        self.session = session
        self.waiting: dict[str, asyncio.TimerHandle] = {}
        self.told: dict[str, set[str]] = {}

    def quietly(self, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The answer, or None where it fails; the failure goes to the editor's log."""

        def answered(params: Any) -> Any:
            try:
                return answer(params)
            except Exception as error:
                self._log(answer.__name__, error)
                return None

        return answered

    def _log(self, where: str, error: Exception) -> None:
        text = f"ibpc: {where}: {type(error).__name__}: {error}"
        kind = types.MessageType.Error
        self.server.window_log_message(types.LogMessageParams(type=kind, message=text))

    # --- texts -------------------------------------------------------------------------------

    def opened(self, params: types.DidOpenTextDocumentParams) -> None:
        """A file was opened: check it at once."""
        self._take(params.text_document.uri)
        self._check(params.text_document.uri)

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        """Something was typed: check when there is a pause."""
        uri = params.text_document.uri
        self._take(uri)
        if uri in self.waiting:
            self.waiting[uri].cancel()
        loop = asyncio.get_running_loop()
        self.waiting[uri] = loop.call_later(PAUSE_S, self._check, uri)

    def saved(self, params: types.DidSaveTextDocumentParams) -> None:
        """A file was saved: whoever imports it may be right or wrong now."""
        for uri in [*self.told]:
            self._check(uri)

    def closed(self, params: types.DidCloseTextDocumentParams) -> None:
        """A file was closed: nothing is told of it any more."""
        uri = params.text_document.uri
        self.session.close(_path(uri))
        for other in self.told.pop(uri, set()):
            self._publish(other, [])

    def _take(self, uri: str) -> None:
        document = self.server.workspace.get_text_document(uri)
        self.session.open(_path(uri), document.source)

    def _check(self, uri: str) -> None:
        try:
            found = self.session.diagnostics(_path(uri))
        except Exception as error:
            self._log("check", error)
            return
        before = self.told.get(uri, set())
        now = {uri if path == _path(uri) else _uri(path) for path in found}
        for gone in before - now:
            self._publish(gone, [])
        self.told[uri] = now
        for path, ones in found.items():
            shapes = [diagnostic_shape(one, self.session.lines, _uri) for one in ones]
            self._publish(uri if path == _path(uri) else _uri(path), shapes)

    def _publish(self, uri: str, shapes: list[dict[str, Any]]) -> None:
        convert = self.server.protocol._converter  # the protocol's own JSON reader
        diagnostics = [convert.structure(shape, types.Diagnostic) for shape in shapes]
        self.server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics)
        )

    # --- questions ---------------------------------------------------------------------------

    def _at(self, params: Any) -> tuple[str, int, int]:
        """Path, line and column in characters, all from 0."""
        path, at = _path(params.text_document.uri), params.position
        lines = self.session.lines(path)
        text = lines[at.line] if at.line < len(lines) else ""
        return path, at.line, characters(text, at.character)

    def _range(self, span: Span) -> types.Range:
        shape = range_of(span, self.session.lines(span.path))
        start, end = (types.Position(**shape[side]) for side in ("start", "end"))
        return types.Range(start, end)

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        """Documentation, value, shapes and units of a word."""
        text = hover(self.session, *self._at(params))
        if text is None:
            return None
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text))

    def definition(self, params: types.DefinitionParams) -> types.Location | None:
        """Where a word is declared, in this file or an imported one."""
        meaning = meaning_at(self.session, *self._at(params))
        if meaning is None or meaning.span is None:
            return None
        return types.Location(_uri(meaning.span.path), self._range(meaning.span))

    def completion(self, params: types.CompletionParams) -> types.CompletionList:
        """What may be written here."""
        items = [
            types.CompletionItem(
                label=one.word,
                kind=types.CompletionItemKind(one.kind),
                detail=one.detail or None,
                documentation=one.doc or None,
                insert_text=one.insert or None,
            )
            for one in completions(self.session, *self._at(params))
        ]
        return types.CompletionList(is_incomplete=False, items=items)

    def formatting(self, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        """The canonical layout as one edit; nothing where the text is broken or is right."""
        path = _path(params.text_document.uri)
        text = self.session.text(path)
        try:
            new = format_source(Source(path, text))
        except IbpcError:
            return None
        document = self.server.workspace.get_text_document(params.text_document.uri)
        if new == document.source:
            return []
        end = types.Position(len(document.lines) + 1, 0)
        return [types.TextEdit(types.Range(types.Position(0, 0), end), new)]

    def symbols(self, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        """The outline."""
        found = self.session.known(_path(params.text_document.uri))
        if found is None or found.main is None:
            return []
        return [self._symbol(one) for one in symbols(found.main.file)]

    def _symbol(self, one: Symbol) -> types.DocumentSymbol:
        return types.DocumentSymbol(
            name=one.name,
            kind=types.SymbolKind(one.kind),
            range=self._range(one.span),
            selection_range=self._range(one.at),
            detail=one.detail,
            children=[self._symbol(child) for child in one.children],
        )

    def fixes(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """`did you mean ...?` as an edit."""
        actions = []
        for one in params.context.diagnostics:
            data = one.data if isinstance(one.data, dict) else {}
            found = _SUGGESTED.search(str(data.get("fix", "")))
            if found is not None:
                edit = types.TextEdit(one.range, found[1])
                changes = types.WorkspaceEdit(changes={params.text_document.uri: [edit]})
                title = f"Change to `{found[1]}`"
                kind = types.CodeActionKind.QuickFix
                actions.append(types.CodeAction(title, kind, [one], edit=changes))
        return actions


def _path(uri: str) -> str:
    """The path of a document; of one that is not on a disk, its URI."""
    return to_fs_path(uri) or uri


def _uri(path: str) -> str:
    """The URI of a path."""
    return from_fs_path(str(Path(path).absolute())) or path
