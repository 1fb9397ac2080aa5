// Two soft notes, made here: no file to load. Of several tabs one plays.
let context: AudioContext | null = null

// Browsers let a page sound only after somebody did something on it.
export function wake(): void {
  if (navigator.userActivation && !navigator.userActivation.isActive) return
  try {
    context ??= new AudioContext()
    void context.resume()
  } catch {
    context = null
  }
}

export function ring(id: string): void {
  const play = async (): Promise<void> => {
    if (context?.state !== 'running') return
    ;[660, 880].forEach((pitch, place) => note(context!, pitch, context!.currentTime + place * 0.12))
    await new Promise((done) => setTimeout(done, 2000))
  }
  const once = { ifAvailable: true }
  if (navigator.locks) void navigator.locks.request(`perezvon sound ${id}`, once, (lock) => (lock ? play() : undefined))
  else void play()
}

function note(audio: AudioContext, pitch: number, at: number): void {
  const tone = audio.createOscillator()
  const loudness = audio.createGain()
  tone.frequency.value = pitch
  loudness.gain.setValueAtTime(0, at)
  loudness.gain.linearRampToValueAtTime(0.12, at + 0.02)
  loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.35)
  tone.connect(loudness).connect(audio.destination)
  tone.start(at)
  tone.stop(at + 0.4)
}
