"""Undo an object's compression as a stream: all layers, with a limit on how far it may grow (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.codecs import CODECS
from transforms.codecs.decoders.codec import CompressedInput
from transforms.codecs.detection import HEAD_BYTES, MAX_LAYERS, nested_codec
from transforms.core.errors import BombError
from transforms.core.peeking import peek

EXPANSION_FLOOR = 4 << 30


class Decoder:
    """The plain bytes of one object, to be iterated over once.

    Attributes:
        codecs: The codecs undone so far, the outermost first; complete once the first chunk has come.
        bytes_out: Plain bytes given so far.
    """

    def __init__(
        self, chunks: Iterator[bytes], codec: str, *, max_expansion: float, floor: int = EXPANSION_FLOOR, key: str = ""
    ) -> None:
        """Decode `chunks`.

        Args:
            chunks: The object's bytes as they are stored.
            codec: The name of the outermost codec.
            max_expansion: How many times the input the output may be,
            floor: once it is larger than this many bytes.
            key: The object's key: its extensions name nested codecs without magic bytes
                (`a.json.br.gz`).
        """
        self._max_expansion, self._floor, self._key = max_expansion, floor, key
        self._inputs = [CompressedInput(chunks, codec=codec)]
        self.codecs: tuple[str, ...] = (codec,)
        self.bytes_out = 0

    @property
    def bytes_in(self) -> int:
        """Stored bytes taken so far."""
        return self._inputs[0].received

    @property
    def unchecked(self) -> bool:
        """Whether damage could have stayed unnoticed, in what was read so far."""
        return any(layer.unchecked for layer in self._inputs)

    def __iter__(self) -> Iterator[bytes]:
        """Yield chunks of at most 8 MiB.

        Raises:
            CorruptStreamError: The stream is cut off or damaged; names the codec and the offset.
            BombError: It grew beyond the limit.
        """
        for data in self._plain():
            self.bytes_out += len(data)
            if self.bytes_out > self._floor and self.bytes_out > self._max_expansion * self.bytes_in:
                raise BombError(
                    f"{'+'.join(self.codecs)} stream grew from {self.bytes_in} to more than {self.bytes_out} bytes, "
                    f"over {self._max_expansion:g} times: allow it with --max-expansion"
                )
            yield data

    def _plain(self) -> Iterator[bytes]:
        """Chain the layers: a codec inside a codec is undone too."""
        output, key = _undo(self.codecs[0], self._inputs[0]), self._key
        while "none" not in self.codecs and len(self.codecs) < MAX_LAYERS:
            head, output = peek(output, HEAD_BYTES)
            nested, key = nested_codec(key, self.codecs[-1], head)
            if nested == "none":
                break
            self._inputs.append(CompressedInput(output, codec=f"{nested} (inside {'+'.join(self.codecs)})"))
            self.codecs = (*self.codecs, nested)
            output = _undo(nested, self._inputs[-1])
        return output


def _undo(codec: str, stream: CompressedInput) -> Iterator[bytes]:
    """Yield a stream's plain bytes; one of no bytes at all is no stream of any codec."""
    if codec != "none" and not stream.peek(1):
        raise stream.truncated()
    yield from CODECS[codec].decode(stream)


def decode(
    chunks: Iterator[bytes], codec: str, *, max_expansion: float, floor: int = EXPANSION_FLOOR, key: str = ""
) -> Decoder:
    """Return the plain bytes of an object as an iterable that counts; see `Decoder`."""
    return Decoder(chunks, codec, max_expansion=max_expansion, floor=floor, key=key)
