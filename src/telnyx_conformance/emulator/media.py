"""Success answers that are not JSON: files of each documented type, as small as they can be and still be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.emulator.account import Answer

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
# One silent MPEG-1 Layer III frame: 32 kbit/s, 44.1 kHz, mono.
MP3 = b"\xff\xfb\x10\xc4" + bytes(100)
FILES: dict[str, bytes] = {
    "application/pdf": PDF,
    "audio/mpeg": MP3,
    "text/csv": b"id,status\r\n",
    "text/xml": b'<?xml version="1.0" encoding="UTF-8"?>\n<Response/>\n',
    "text/plain": b"sample\n",
    "application/octet-stream": b"sample\n",
}


def answer(operation: Operation, status: int) -> Answer:
    """Return the documented success of an operation that does not answer with JSON: a file, or nothing."""
    documented = next(iter(operation.success.content), "")
    if not documented:
        return Answer(status=status)
    media_type = "application/octet-stream" if documented == "*/*" else documented
    return Answer(status=status, raw=FILES.get(media_type.partition(";")[0], b""), media_type=media_type)
