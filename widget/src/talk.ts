// The conversation as this browser knows it: the server's entries, and what waits to be sent.
import { Line } from './line'
import { Memory } from './memory'
import { type Entry, Refusal, Server } from './server'

export interface Waiting {
  id: string
  text: string
  files: { ref: string; name: string }[]
  at: string
  told: Record<string, string>
  origin: Record<string, unknown>
  refused?: boolean
}

const PAGE = 50
const POLL_MS = 30_000

export class Talk {
  entries = new Map<number, Entry>()
  sent = new Set<string>()
  whole = false
  typing = 0
  readonly line: Line
  private syncing = false
  private again = false
  private flushing = false
  private first = true
  private attempts = 0

  constructor(
    readonly server: Server,
    readonly memory: Memory,
    private readonly changed: () => void,
    private readonly arrived: (entry: Entry) => void,
  ) {
    const url = server.root.replace(/^http/, 'ws') + '/socket'
    this.line = new Line(url, () => server.introduced(), (what) => this.told(what), (token) => server.forget(token))
    memory.watch((name) => {
      if (name === 'token') {
        this.entries.clear()
        this.line.close()
        this.start()
      }
      changed()
    })
    setInterval(() => server.token && void this.sync(), POLL_MS)
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && server.token) void this.sync()
    })
    addEventListener('online', () => void this.flush())
  }

  start(): void {
    void this.line.open()
    void this.sync()
    void this.flush()
  }

  get outbox(): Waiting[] {
    return this.memory.get<Waiting[]>('outbox', [])
  }

  get last(): number {
    return Math.max(0, ...this.entries.keys())
  }

  get unread(): number {
    const read = this.memory.get('read', 0)
    return [...this.entries.values()].filter((one) => one.outgoing && !one.deleted && one.seq > read).length
  }

  say(message: Waiting): void {
    this.memory.set('outbox', [...this.outbox, message])
    this.changed()
    this.start()
  }

  // Everything shown has been seen.
  read(): void {
    const newest = [...this.entries.values()].filter((one) => one.outgoing).sort((a, b) => b.seq - a.seq)[0]
    if (!newest || newest.seq <= this.memory.get('read', 0)) return
    this.memory.set('read', newest.seq)
    const body = JSON.stringify({ message: newest.id })
    this.server.ask('/read', { method: 'POST', body }).catch(() => this.memory.set('read', newest.seq - 1))
    this.changed()
  }

  async older(): Promise<void> {
    const found = await this.page(`?before=${Math.min(...this.entries.keys())}`)
    this.whole = found.length < PAGE
    this.changed()
  }

  // Read the newest page, and what lies between it and what is known.
  async sync(): Promise<void> {
    this.again = true
    if (this.syncing) return
    this.syncing = true
    try {
      while (this.again) {
        this.again = false
        await this.readOnce()
      }
    } catch {
      // The line's return, or the next poll, reads again.
      this.again = false
    } finally {
      this.syncing = false
    }
    this.changed()
  }

  private async readOnce(): Promise<void> {
    const known = this.last
    const found = await this.page('')
    if (this.first) this.whole = found.length < PAGE
    const lowest = found[0]?.seq ?? 0
    for (let after = known; known && after + 1 < lowest; ) {
      const gap = await this.page(`?after=${after}`)
      if (!gap.length) break
      after = gap[gap.length - 1]!.seq
    }
    const news = [...this.entries.values()].filter((one) => one.outgoing && one.seq > known)
    if (news.length) this.typing = 0
    if (!this.first) news.forEach((one) => this.arrived(one))
    this.first = false
    this.settle()
  }

  private async page(query: string): Promise<Entry[]> {
    const { items } = (await this.server.ask(`/messages${query}`)) as { items: Entry[] }
    for (const one of items) this.entries.set(one.seq, one)
    return items
  }

  // What is in the books no longer waits.
  private settle(): void {
    const there = new Set([...this.entries.values()].map((one) => one.client_id))
    const left = this.outbox.filter((one) => !there.has(one.id))
    if (left.length < this.outbox.length) this.memory.set('outbox', left)
  }

  private told(what: string): void {
    if (what === 'hello') {
      void this.sync()
      void this.flush()
    } else if (what === 'message') void this.sync()
    else if (what === 'typing') {
      this.typing = Date.now()
      setTimeout(() => this.changed(), 6100)
    }
    this.changed()
  }

  // Post what waits, in order; the same id twice is one message.
  private async flush(): Promise<void> {
    if (this.flushing) return
    this.flushing = true
    const post = async (): Promise<void> => {
      for (let next; (next = this.outbox.find((one) => !one.refused && !this.sent.has(one.id))); ) {
        await this.post(next)
      }
    }
    try {
      await (navigator.locks ? navigator.locks.request(`${this.server.root} outbox`, post) : post())
      this.attempts = 0
    } catch (error) {
      const wait = error instanceof Refusal ? error.retryAfter * 1000 : Math.min(30_000, 1000 * 2 ** this.attempts++)
      setTimeout(() => void this.flush(), wait)
    } finally {
      this.flushing = false
    }
    this.changed()
  }

  private async post(one: Waiting): Promise<void> {
    const { id, text, told, origin } = one
    const body = JSON.stringify({ id, text, told, files: one.files.map((file) => file.ref), ...origin })
    try {
      await this.server.ask('/messages', { method: 'POST', body })
      this.sent.add(id)
      this.changed()
      setTimeout(() => void this.sync(), 1500)
    } catch (error) {
      if (!(error instanceof Refusal) || ![403, 404, 422].includes(error.status)) throw error
      this.memory.set('outbox', this.outbox.map((other) => (other.id === id ? { ...other, refused: true } : other)))
    }
  }
}
