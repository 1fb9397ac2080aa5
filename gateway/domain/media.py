"""What a file is, by its first bytes: a name or a declared type is only a stranger's word."""

import re
import unicodedata

UNKNOWN = "application/octet-stream"
HEAD = 4096
"""Bytes that `kind_of` wants to see."""

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (8, b"WAVE", "audio/wav"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
# Containers that say too little by themselves: the declared type is believed where it names one of these.
_INSIDE = {
    "application/zip": (
        "application/vnd.openxmlformats-officedocument.",
        "application/vnd.oasis.opendocument.",
    ),
    "application/x-ole-storage": ("application/msword", "application/vnd.ms-"),
    "audio/ogg": ("video/ogg",),
    "video/webm": ("audio/webm",),
}
SHOWN = frozenset(
    {
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "audio/ogg", "audio/mpeg",
        "audio/wav", "audio/mp4", "audio/webm", "video/mp4", "video/webm", "video/ogg", "application/pdf",
        "text/plain",
    }
)  # fmt: skip
"""Types that a browser may show in place; everything else is only ever offered for saving."""
_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,100}")
_RESERVED = re.compile(r'[\\/:*?"<>|]')
_LONGEST = 150


def kind_of(head: bytes, declared: str = "") -> str:
    """The media type of a file that begins with `head` (`HEAD` bytes are enough).

    Text of any sort is text/plain: markup that a browser would run is not what it says it is.
    """
    declared = declared.partition(";")[0].strip().lower()
    for offset, signature, found in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            inside = _INSIDE.get(found, ())
            return declared if inside and declared.startswith(inside) and _TYPE.fullmatch(declared) else found
    return "text/plain" if _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    if not head or b"\0" in head:
        return False
    for missing in range(4):  # the last letter may be cut in two
        try:
            head[: len(head) - missing].decode()
        except UnicodeDecodeError:
            continue
        return True
    return False


def safe_name(raw: str) -> str:
    """A file name that means nothing to a shell, a file system or a header; of at most 150 characters.

    No folders, control, direction or invisible marks; never empty, never hidden.
    """
    text = unicodedata.normalize("NFC", raw).replace("\\", "/").rpartition("/")[2]
    text = "".join(c for c in text if c.isprintable() and unicodedata.category(c) != "Cf")
    text = " ".join(_RESERVED.sub("_", text).split()).strip(". ")
    if len(text) > _LONGEST:
        stem, dot, ext = text.rpartition(".")
        text = f"{stem[: _LONGEST - 17]}.{ext[:16]}" if dot and stem else text[:_LONGEST]
    return text or "file"
