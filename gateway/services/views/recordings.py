"""Recordings as the API shows them."""

from typing import Any, Literal

from sqlalchemy import Row

from gateway.services.views.common import View, at

RecordingStateName = Literal["recording", "processing", "ready", "failed", "deleted"]


class Recording(View, frozen=True):
    """The recording of a call. `codec`, `size` and `sha256` are of what is played; null until there is one.

    `has_audio` is false for a file without sound: a call that nobody answered, or silence. `at` is when the
    recording began. `error` says why it failed.
    """

    id: str
    call_id: str | None
    card_id: str | None
    at: str
    duration_s: float | None
    channels: int | None
    codec: str | None
    size: int | None
    sha256: str | None
    state: RecordingStateName
    has_audio: bool | None
    pbx: str
    name: str
    error: str | None
    version: int

    @classmethod
    def of(cls, row: Row[Any]) -> "Recording":
        """From a row of `recordings` with the `card_id` of its call."""
        return cls(
            id=row.id,
            call_id=row.call_id,
            card_id=row.card_id,
            at=at(row.at),
            duration_s=row.duration_s,
            channels=row.channels,
            codec=row.codec,
            size=row.size,
            sha256=row.sha256,
            state=row.state,
            has_audio=row.has_audio,
            pbx=row.pbx,
            name=row.name,
            error=row.error,
            version=row.version,
        )


class Peaks(View, frozen=True):
    """The waveform: for each channel its pairs of least and greatest sample, from -1 to 1, one after another.

    At most 1,200 pairs, evenly over `duration_s`; each inner list is what wavesurfer takes for a channel.
    """

    recording_id: str
    duration_s: float
    channels: int
    peaks: list[list[float]]
