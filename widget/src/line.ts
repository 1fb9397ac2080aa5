// The socket: says that there is something to read, never what. Comes back by itself.
const PING_MS = 15_000
const DEAD_MS = 40_000
const LONGEST_WAIT_MS = 30_000

export class Line {
  up = false
  private socket: WebSocket | null = null
  private heard = 0
  private attempts = 0
  private timer = 0
  private typed = 0

  constructor(
    private readonly url: string,
    private readonly token: () => Promise<string>,
    private readonly told: (what: string) => void,
    private readonly unknown: (token: string) => void,
  ) {
    setInterval(() => this.probe(), PING_MS)
    addEventListener('online', () => this.open())
    addEventListener('offline', () => this.socket?.close())
  }

  async open(): Promise<void> {
    clearTimeout(this.timer)
    if (this.socket) return
    let token: string
    try {
      token = await this.token()
    } catch {
      return this.later()
    }
    if (this.socket) return
    const socket = (this.socket = new WebSocket(this.url))
    this.heard = Date.now()
    socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', token }))
    socket.onmessage = (event) => {
      this.heard = Date.now()
      const what = (JSON.parse(String(event.data)) as { type: string }).type
      if (what === 'hello') {
        this.up = true
        this.attempts = 0
      }
      this.told(what)
    }
    socket.onclose = (event) => {
      if (this.socket !== socket) return
      this.socket = null
      this.up = false
      if (event.code === 4001) this.unknown(token)
      this.told('down')
      this.later()
    }
  }

  typing(): void {
    if (this.up && Date.now() - this.typed > 3000) {
      this.typed = Date.now()
      this.socket?.send('{"type":"typing"}')
    }
  }

  close(): void {
    const socket = this.socket
    this.socket = null
    this.up = false
    socket?.close()
  }

  private probe(): void {
    if (!this.socket) return
    if (Date.now() - this.heard > DEAD_MS) {
      // Half open: its own closing could take minutes.
      const socket = this.socket
      this.socket = null
      this.up = false
      socket.close()
      this.told('down')
      void this.open()
    } else if (this.up) {
      this.socket.send('{"type":"ping"}')
    }
  }

  private later(): void {
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** this.attempts++)
    this.timer = window.setTimeout(() => void this.open(), wait * (0.5 + Math.random()))
  }
}
