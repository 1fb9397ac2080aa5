"""The kinds of files that PBXs write: how ffmpeg must read each, and what a browser is told of it.

ffmpeg never guesses: a file that calls itself a recording may be a playlist that names other files.
Extensions are Asterisk's (`core show file formats`).
"""

from collections.abc import Mapping

_SLIN_HZ = {"sln": 8, "slin": 8, "raw": 8} | {f"sln{k}": k for k in (8, 12, 16, 24, 32, 44, 48, 96, 192)}

DEMUXER: Mapping[str, tuple[str, ...]] = {
    "wav": ("-f", "wav"),
    "wav16": ("-f", "wav"),
    "wav49": ("-f", "wav"),
    "gsm": ("-f", "gsm"),
    "g722": ("-f", "g722"),
    "mp3": ("-f", "mp3"),
    "ogg": ("-f", "ogg"),
    "opus": ("-f", "ogg"),
    **dict.fromkeys(("ulaw", "ul", "mu", "pcm"), ("-f", "mulaw", "-ar", "8000", "-ac", "1")),
    **dict.fromkeys(("alaw", "al"), ("-f", "alaw", "-ar", "8000", "-ac", "1")),
    **{
        ext: ("-f", "s16le", "-ar", "44100" if k == 44 else str(k * 1000), "-ac", "1")
        for ext, k in _SLIN_HZ.items()
    },
}
"""Extension → ffmpeg's input options."""

CONTENT_TYPE: Mapping[str, str] = {
    "wav": "audio/wav",
    "wav16": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
}
"""Of what browsers play."""


def extension_of(name: str) -> str | None:
    """The known extension of a file's name in small letters; None for what is no recording.

    Asterisk writes WAV49 (GSM in a WAV file) as `.WAV`.
    """
    stem, dot, ext = name.rpartition(".")
    if not dot or not stem.strip("."):
        return None
    ext = "wav49" if ext == "WAV" else ext.lower()
    return ext if ext in DEMUXER else None
