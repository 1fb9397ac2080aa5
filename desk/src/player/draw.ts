/** Colours of a waveform: what was played, what was not, and the line where it plays. */
export interface Inks {
  played: string;
  rest: string;
  line: string;
}

const GAP = 4;
const LEAST_PX = 1;

/** Draws the channels below each other, each round its own middle; `part` of the width was played. */
export function drawWaveform(canvas: HTMLCanvasElement, channels: number[][], part: number, inks: Inks): void {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const lanes = Math.max(1, channels.length);
  const tall = (height - GAP * (lanes - 1)) / lanes;
  const loudest = Math.max(0.05, ...channels.map((pairs) => pairs.reduce((most, one) => Math.max(most, Math.abs(one)), 0)));
  channels.forEach((pairs, lane) => {
    drawLane(pen, pairs, { top: lane * (tall + GAP), tall, width, loudest }, part, inks);
  });
  pen.fillStyle = inks.line;
  pen.fillRect(Math.min(width - 1, part * width), 0, 1.5, height);
}

interface Lane {
  top: number;
  tall: number;
  width: number;
  loudest: number;
}

function drawLane(pen: CanvasRenderingContext2D, pairs: number[], lane: Lane, part: number, inks: Inks): void {
  const middle = lane.top + lane.tall / 2;
  const count = Math.floor(pairs.length / 2);
  for (let x = 0; x < lane.width; x++) {
    const [least, greatest] = between(pairs, Math.floor((x * count) / lane.width), Math.ceil(((x + 1) * count) / lane.width));
    const up = (greatest / lane.loudest) * (lane.tall / 2);
    const down = (-least / lane.loudest) * (lane.tall / 2);
    pen.fillStyle = x < part * lane.width ? inks.played : inks.rest;
    pen.fillRect(x, middle - Math.max(up, LEAST_PX / 2), 1, Math.max(up + down, LEAST_PX));
  }
}

/** Least and greatest of the pairs from `start` up to `end`. */
export function between(pairs: number[], start: number, end: number): [number, number] {
  let least = 0;
  let greatest = 0;
  for (let at = start; at < Math.max(end, start + 1); at++) {
    least = Math.min(least, pairs[2 * at] ?? 0);
    greatest = Math.max(greatest, pairs[2 * at + 1] ?? 0);
  }
  return [least, greatest];
}
