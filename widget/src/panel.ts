// The window: what is shown, keys, focus.
import { Bubbles } from './bubbles'
import { el, icon } from './dom'
import { Memory } from './memory'
import { type Config, type Entry, Server } from './server'
import { ring, wake } from './sound'
import { CSS } from './style'
import { Talk, type Waiting } from './talk'
import type { Words } from './words'

export interface Options {
  language: string
  title: string
  greeting: string
  color: string
}

const OFFLINE: Config = {
  title: '', greeting: '', offline: '', ask: [], largest_file: 10_000_000, longest_text: 4096, online: false,
}

export class Panel {
  private readonly host = el('div', { 'data-perezvon': '' })
  private readonly shadow = this.host.attachShadow({ mode: 'open' })
  private readonly root = el('div', { class: 'root' })
  private readonly badge = el('span', { class: 'badge', hidden: true })
  private readonly launcher: HTMLButtonElement
  private readonly panel: HTMLElement
  private readonly heading = el('h2', { id: 'title' })
  private readonly state = el('div', { class: 'state' })
  private readonly log: HTMLElement
  private readonly typing = el('div', { class: 'typing', role: 'status' })
  private readonly down = el('div', { class: 'down', role: 'status', hidden: true })
  private readonly fields = el('div', { class: 'fields', hidden: true })
  private readonly picked = el('div', { class: 'picked', hidden: true })
  private readonly trouble = el('div', { class: 'trouble', role: 'alert', hidden: true })
  private readonly text: HTMLTextAreaElement
  private readonly choose: HTMLInputElement
  private readonly muting: HTMLButtonElement
  private readonly talk: Talk
  private readonly bubbles: Bubbles
  private config: Config = OFFLINE
  private files: { ref: string; name: string }[] = []
  private drawn = ''
  private downSince = 0

  constructor(
    private readonly words: Words,
    private readonly options: Options,
    private readonly server: Server,
    private readonly memory: Memory,
  ) {
    this.talk = new Talk(server, memory, () => this.draw(), (entry) => this.arrived(entry))
    this.bubbles = new Bubbles(words, options.language, server)
    const button = (name: 'close' | 'sound' | 'clip', label: string, click: () => void) =>
      el('button', { type: 'button', 'aria-label': label, title: label, click }, icon(name))
    this.launcher = el('button', { class: 'open', type: 'button', click: () => this.open() }, icon('chat'), this.badge)
    this.log = el('div', { class: 'log', role: 'log', 'aria-label': words.history, tabindex: '0' })
    this.muting = button('sound', words.mute, () => this.mute())
    this.text = el('textarea', {
      rows: '1', 'aria-label': words.message, placeholder: words.placeholder, maxlength: '4096',
      input: () => this.typed(), keydown: (event) => this.key(event as KeyboardEvent),
    })
    this.choose = el('input', { type: 'file', multiple: true, hidden: true, change: () => void this.upload() })
    const head = el('div', { class: 'head' }, el('div', {}, this.heading, this.state), this.muting)
    head.append(button('close', words.close, () => this.close()))
    const send = el('button', { class: 'send', type: 'submit', 'aria-label': words.send, title: words.send }, icon('send'))
    const attach = button('clip', words.attach, () => this.choose.click())
    const bar = el('div', { class: 'bar' }, attach, this.choose, this.text, send)
    const form = el('form', { submit: (event) => this.submit(event) }, this.fields, this.picked, this.trouble, bar)
    this.panel = el('section', { class: 'panel', role: 'dialog', 'aria-labelledby': 'title', hidden: true })
    this.panel.append(head, this.log, this.typing, this.down, form)
    this.panel.addEventListener('keydown', (event) => this.trap(event))
    this.root.append(this.launcher, this.panel)
    this.dress()
    document.body.append(this.host)
    void this.configure()
    if (server.token || this.talk.outbox.length) this.talk.start()
    if (memory.get('open', false) && innerWidth > 480) this.open(false)
    this.draw()
  }

  get shown(): boolean {
    return !this.panel.hidden
  }

  open(focus = true): void {
    wake()
    this.panel.hidden = false
    this.launcher.hidden = true
    this.memory.set('open', true)
    this.talk.start()
    void this.configure()
    this.draw()
    this.log.scrollTop = this.log.scrollHeight
    if (focus) (this.fields.hidden ? this.text : this.fields.querySelector('input'))?.focus()
  }

  close(): void {
    this.panel.hidden = true
    this.launcher.hidden = false
    this.memory.set('open', false)
    this.draw()
    this.launcher.focus()
  }

  remove(): void {
    this.talk.line.close()
    this.host.remove()
  }

  private dress(): void {
    // A constructed sheet is no inline style: a site's policy needs no exception for it.
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(CSS)
    this.shadow.adoptedStyleSheets = [sheet]
    // A page's rules reach the host itself and win over what a shadow tree says of it, but not over this.
    this.host.style.setProperty('all', 'initial', 'important')
    this.shadow.append(this.root)
    if (/^#[0-9a-f]{6}$/i.test(this.options.color)) this.root.style.setProperty('--accent', this.options.color)
    this.root.lang = this.options.language
  }

  private async configure(): Promise<void> {
    try {
      this.config = await this.server.config()
    } catch {
      return
    }
    this.text.maxLength = this.config.longest_text
    const asked = this.memory.get('told', null) === null && this.config.ask.length > 0
    if (asked && !this.fields.childElementCount) this.fields.append(...this.config.ask.map((name) => this.field(name)))
    this.fields.hidden = !asked
    this.draw()
  }

  private field(name: 'name' | 'email' | 'phone'): HTMLElement {
    const type = { name: 'text', email: 'email', phone: 'tel' }[name]
    const complete = { name: 'name', email: 'email', phone: 'tel' }[name]
    const input = el('input', { type, name, autocomplete: complete, required: true, maxlength: '200' })
    return el('label', {}, this.words[name], input)
  }

  private draw(): void {
    const { words, talk } = this
    this.heading.textContent = this.options.title || this.config.title || words.title
    this.state.className = this.config.online ? 'state on' : 'state'
    this.state.replaceChildren(el('i'), this.config.online ? words.online : words.away)
    const lost = this.shown && !!this.server.token && !talk.line.up
    if (!lost) this.downSince = 0
    else if (!this.downSince) {
      this.downSince = Date.now()
      setTimeout(() => this.draw(), 2600)
    }
    this.down.hidden = !lost || (navigator.onLine && Date.now() - this.downSince < 2500)
    this.down.textContent = words.reconnecting
    const typing = Date.now() - talk.typing < 6000 ? words.typing : ''
    if (this.typing.textContent !== typing) this.typing.textContent = typing
    const muted = this.memory.get('muted', false)
    this.muting.replaceChildren(icon(muted ? 'mute' : 'sound'))
    this.muting.setAttribute('aria-label', muted ? words.unmute : words.mute)
    this.muting.title = muted ? words.unmute : words.mute
    if (this.shown && !document.hidden) talk.read()
    const unread = talk.unread
    this.badge.hidden = !unread
    this.badge.textContent = String(unread)
    this.launcher.setAttribute('aria-label', unread ? `${words.open}, ${unread} ${words.unread}` : words.open)
    this.list()
  }

  private list(): void {
    const entries = [...this.talk.entries.values()].sort((a, b) => a.seq - b.seq)
    const there = new Set(entries.map((one) => one.client_id))
    const waiting = this.talk.outbox.filter((one) => !there.has(one.id))
    const sent = waiting.map((one) => this.talk.sent.has(one.id))
    const now = JSON.stringify([entries, waiting, sent, this.config, this.talk.whole])
    if (now === this.drawn) return
    this.drawn = now
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60
    const fromEnd = this.log.scrollHeight - this.log.scrollTop
    this.log.replaceChildren(...this.rows(entries, waiting))
    this.log.scrollTop = this.log.scrollHeight - (atEnd ? 0 : fromEnd)
  }

  private rows(entries: Entry[], waiting: Waiting[]): HTMLElement[] {
    const rows: HTMLElement[] = []
    if (entries.length && !this.talk.whole) {
      rows.push(el('button', { class: 'older', type: 'button', click: () => void this.talk.older() }, this.words.older))
    } else {
      const { online, greeting, offline } = this.config
      const own = online ? this.options.greeting || greeting || this.words.greeting : offline || this.words.offline
      rows.push(this.bubbles.words_of(own))
    }
    let day = ''
    let before: Entry | null = null
    for (const one of entries) {
      const today = this.bubbles.day(one.at)
      if (today !== day) rows.push(el('div', { class: 'day' }, (day = today)))
      rows.push(this.bubbles.entry(one, before?.outgoing !== one.outgoing || before?.author !== one.author))
      before = one
    }
    rows.push(...waiting.map((one) => this.bubbles.waiting(one, this.talk.sent.has(one.id))))
    return rows
  }

  private arrived(entry: Entry): void {
    if (!this.memory.get('muted', false)) ring(entry.id)
  }

  private mute(): void {
    this.memory.set('muted', !this.memory.get('muted', false))
    this.draw()
  }

  private typed(): void {
    this.text.style.height = 'auto'
    this.text.style.height = `${this.text.scrollHeight + 2}px`
    if (this.text.value) this.talk.line.typing()
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault()
      this.text.form?.requestSubmit()
    }
  }

  private submit(event: Event): void {
    event.preventDefault()
    wake()
    const text = this.text.value.trim()
    if (!text && !this.files.length) return
    if (!this.fields.hidden) {
      const given = [...this.fields.querySelectorAll('input')].map((input) => [input.name, input.value.trim()])
      this.memory.set('told', Object.fromEntries(given))
      this.fields.hidden = true
    }
    this.talk.say({
      id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`,
      text,
      files: this.files,
      at: new Date().toISOString(),
      told: this.memory.get<Record<string, string>>('told', {}),
      origin: this.memory.get('origin', {}),
    })
    this.files = []
    this.text.value = ''
    this.typed()
    this.showPicked()
    this.log.scrollTop = this.log.scrollHeight
    this.text.focus()
  }

  private async upload(): Promise<void> {
    const chosen = [...(this.choose.files ?? [])]
    this.choose.value = ''
    this.complain('')
    for (const file of chosen) {
      if (file.size > this.config.largest_file) {
        this.complain(this.words.tooLarge.replace('{}', String(this.config.largest_file / 1_000_000)))
        continue
      }
      const headers = { 'X-File-Name': encodeURIComponent(file.name), 'Content-Type': 'application/octet-stream' }
      try {
        const answer = await this.server.ask('/files', { method: 'POST', body: file, headers })
        this.files.push({ ref: (answer as { file: string }).file, name: file.name })
      } catch {
        this.complain(this.words.notUploaded)
      }
    }
    this.showPicked()
    this.text.focus()
  }

  private showPicked(): void {
    this.picked.hidden = !this.files.length
    this.picked.replaceChildren(
      ...this.files.map((file) => {
        const drop = () => {
          this.files = this.files.filter((other) => other !== file)
          this.showPicked()
        }
        const label = `${this.words.removeFile}: ${file.name}`
        return el('span', {}, file.name, el('button', { type: 'button', 'aria-label': label, click: drop }, icon('close')))
      }),
    )
  }

  private complain(what: string): void {
    this.trouble.hidden = !what
    this.trouble.textContent = what
  }

  // Tab goes round inside the window; Escape closes it.
  private trap(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      event.stopPropagation()
      this.close()
    }
    if (event.key !== 'Tab') return
    const all = [...this.panel.querySelectorAll<HTMLElement>('button, input:not([hidden]), textarea, a[href], [tabindex="0"]')]
    const stops = all.filter((one) => one.offsetParent !== null || getComputedStyle(one).position === 'fixed')
    const edge = event.shiftKey ? stops[0] : stops[stops.length - 1]
    if (this.shadow.activeElement === edge) {
      event.preventDefault()
      stops[event.shiftKey ? stops.length - 1 : 0]?.focus()
    }
  }
}
